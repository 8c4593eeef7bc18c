"""The first page: what is next and what waits to be answered; then one's own record, who has looked, what one reports as wrong in it."""

import asyncio
import json
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.fitness import fitness_told
from gateway.forms import form_key, typed
from gateway.home.looks import place_of
from gateway.pages import Pages, page
from gateway.rights import may_everywhere
from gateway.services import Answer, Away, Said, dispatch, duty, gather, identity, notifications, personnel
from gateway.unread import waiting
from gateway.upcoming import Entry, can_check_in, coming, entries_of, own_time
from shared import clock

pages = Pages()

COUNT_ONLY = {"page": 100_000, "page_size": 1}  # the number without the rows, so that nobody's record is looked at for it
LOOKS_SHOWN = 5
NOTICES_SHOWN = 3
NEXT_SHOWN = 4
CALLED_AT_MOST = 10
_URGENT = ("overdue", "due", "not_started", "unknown", "in_progress", "declined", "exempt", "complete")


@pages.get("/")
async def show_home(request: Request) -> Response:
    """Whatever concerns whoever looks: their own record, or the next step of an administrator who is no person here."""
    return await _show(request)


@pages.post("/me/remarks")
async def report_error(request: Request) -> Response:
    """Report an error in one's own record."""
    form = await typed(request)
    wish = {name: form[name] for name in ("about", "text") if isinstance(form.get(name), str)}
    answer = await personnel.post("/remarks", wish, key=form_key(request))
    if answer.problem is None:
        return RedirectResponse("/?done=remark_sent", 303)
    return await _show(request, answer.status_code, form, answer.problem)


@pages.post("/me/assignments/{assignment_id}/answer")
async def answer_shift(request: Request, assignment_id: UUID) -> Response:
    """Received, or one cannot come, with the reason."""
    form = await typed(request)
    wish = {name: form[name] for name in ("answer", "reason") if isinstance(form.get(name), str)}
    answer = await dispatch.post(f"/assignments/{assignment_id}/answer", wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/?done={'shift_received' if wish.get('answer') == 'received' else 'shift_declined'}", 303)
    return await _show(request, answer.status_code, next_form=form, next_problem=answer.problem)


@pages.post("/me/assignments/{assignment_id}/checkout")
async def leave_shift(request: Request, assignment_id: UUID) -> Response:
    """One goes; for this no code is needed."""
    await typed(request)
    answer = await dispatch.post(f"/assignments/{assignment_id}/checkout", {}, form_key(request))
    if answer.problem is None:
        return RedirectResponse("/?done=checked_out", 303)
    return await _show(request, answer.status_code, next_problem=answer.problem)


@pages.post("/me/notices/{notice_id}/acknowledgement")
async def acknowledge(request: Request, notice_id: UUID) -> Response:
    """Received and read."""
    await typed(request)
    answer = await notifications.post(f"/inbox/{notice_id}/acknowledgement", None, form_key(request))
    return await _notice_answered(request, answer, "notice_read", "late")


@pages.post("/me/notices/{notice_id}/done")
async def say_done(request: Request, notice_id: UUID) -> Response:
    """What it asks for is done."""
    await typed(request)
    answer = await notifications.post(f"/inbox/{notice_id}/done", None, form_key(request))
    return await _notice_answered(request, answer, "notice_done", "done_late")


async def _notice_answered(request: Request, answer: Answer, done: str, late: str) -> Response:
    request.app.state.sessions.unread.forget([(request.state.me["person"] or {}).get("id", "")])
    if answer.problem is None:
        return RedirectResponse(f"/?done={done}{'_late' if answer.data[late] else ''}", 303)
    return await _show(request, answer.status_code, notice_problem=answer.problem)


@pages.get("/me/looks")
async def show_looks(request: Request, number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1) -> Response:
    """Everybody who has looked at one's own record."""
    looks = await identity.get("/looks/mine", page=number)
    return page(request, "home/looks.html", looks=looks, place_of=place_of)


@pages.get("/me/copy")
async def download_copy(request: Request) -> Response:
    """All that is kept about oneself, of every service, as one file; when one of them is away there is no file, rather than part of one."""
    keepers = (
        {"record": personnel, "duty": duty, "dispatch": dispatch, "notifications": notifications} if request.state.me["person"] else {}
    )
    account, *kept = await gather(identity.get("/accounts/me/copy"), *(one.get("/people/me/copy") for one in keepers.values()))
    parts = {"account": account, "record": None, **dict(zip(keepers, kept, strict=True))}
    copy = {"made_at": clock.now().isoformat(), "institution": request.state.institution, **parts}
    name = f"muster-{clock.today().isoformat()}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return _Indented(copy, headers=headers)


class _Indented(JSONResponse):
    """JSON that a person can read."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, indent=2).encode()


async def _show(
    request: Request, status: int = 200, form: Mapping[str, Any] | None = None, problem: Mapping[str, Any] | None = None, **refused: Any
) -> Response:
    me = request.state.me
    roles = set(me["roles"])
    if not me["person"]:
        return await _show_without_person(request, roles)
    mine, looks, remarks, needs, numbers, upcoming, led, notices = await gather(
        _record(me["person"]["id"]),
        identity.try_get("/looks/mine", page_size=LOOKS_SHOWN),
        personnel.try_get("/remarks", mine="true", page_size=20),
        _needs(roles),
        _numbers(request),
        _upcoming(request),
        dispatch.try_get("/shifts/led/mine"),
        notifications.try_get("/inbox", open="true", page_size=NOTICES_SHOWN),
    )
    record, missing = mine
    if notices is not None:
        request.state.unread_count = request.app.state.sessions.unread.keep(me["person"]["id"], waiting(notices))
    programmes = sorted(record["programmes"], key=lambda one: _URGENT.index(one["standing"]["code"])) if record else []
    known = {
        "record": record,
        "missing": missing,
        "programmes": programmes,
        "looks": looks,
        "remarks": remarks,
        "needs": needs,
        "numbers": numbers,
        "led": led,
        "notices": notices,
        "fitness": fitness_told(record["fitness"]) if record else None,
        "place_of": place_of,
        "form": form or {},
        "problem": problem,
    }
    return page(request, "home/home.html", status, **known, **upcoming, **_REFUSED | refused)


_REFUSED: dict[str, Any] = {"next_form": {}, "next_problem": None, "notice_problem": None}


async def _upcoming(request: Request) -> dict[str, Any]:
    """What is next, what follows, and whom to call about the next shift; which of the two services cannot be reached."""
    now = clock.now().astimezone(clock.zone())
    duties, shifts = await own_time(now)
    ahead = coming(entries_of(duties, shifts, now))
    first = ahead[0] if ahead else None
    number = await notifications.try_get(f"/shifts/{first.told['shift_id']}/leader_number") if first and _is_led(first) else None
    today = [one for one in ahead if one.starts_at.date() <= now.date()]
    return {
        "first": first,
        "later": ahead[1:NEXT_SHOWN],
        "more_count": max(len(ahead) - NEXT_SHOWN, 0),
        "checks_in": first is not None and can_check_in(first, now),
        "number": number,
        "duties_today": sum(one.kind == "duty" for one in today),
        "shifts_today": sum(one.kind == "shift" for one in today),
        "duties_known": duties is not None,
        "shifts_known": shifts is not None,
    }


def _is_led(entry: Entry) -> bool:
    return entry.kind == "shift" and entry.told["leader"] is not None


async def _show_without_person(request: Request, roles: set[str]) -> Response:
    setup, people_count, needs = await gather(identity.try_get("/setup"), _people_count(roles), _needs(roles))
    return page(request, "home/steps.html", setup=setup, people_count=people_count, needs=needs, roles=roles)


async def _people_count(roles: set[str]) -> int | None:
    """How many are on record; whoever may not search for people adds up the departments."""
    if "health" in roles:
        people = await personnel.try_get("/people", **COUNT_ONLY)
        return people["total"] if people else None
    departments = await personnel.try_get("/departments")
    return sum(one["people_count"] for one in departments["items"]) if departments else None


async def _record(person_id: str) -> tuple[dict[str, Any] | None, str]:
    """One's own record; without it, whether it cannot be reached (`away`) or there is none yet (`none`)."""
    try:
        return await personnel.get(f"/people/{person_id}/health"), ""
    except Said as no:
        return None, "none" if no.status == 404 else "away"
    except Away:
        return None, "away"


async def _numbers(request: Request) -> dict[str, str]:
    """The phone numbers of those on duty, for whoever may read everybody's, or the list of whom to call; nobody else sees a way to call."""
    on_duty = getattr(request.state, "on_duty", None)
    if on_duty and may_everywhere(request, "call_list.read"):
        called = await notifications.try_get("/call_list")
        return {one["person"]["id"]: one["phone"] for one in (called or {}).get("items", []) if one["phone"]}
    if not on_duty or not may_everywhere(request, "contact.read"):
        return {}
    ids = list(dict.fromkeys(one["person"]["id"] for one in on_duty))[:CALLED_AT_MOST]
    found = await asyncio.gather(*(personnel.try_get(f"/people/{one}") for one in ids))
    return {one["id"]: one["phone"] for one in found if one and one.get("phone")}


async def _needs(roles: set[str]) -> dict[str, int | None]:
    """What waits for whoever holds these roles: a number for each, None when it cannot be told now."""
    asked = {
        "exemptions": ("/exemptions", {"state": "pending"}, {"health", "leader"}),
        "remarks": ("/remarks", {"open": "true"}, {"health"}),
        "urge": ("/coverage/urge", {}, {"health", "head"}),
    }
    mine = {name: (path, query) for name, (path, query, needed) in asked.items() if roles & needed}
    found = await asyncio.gather(*(personnel.try_get(path, **query, **COUNT_ONLY) for path, query in mine.values()))
    return {name: answer["total"] if answer else None for name, answer in zip(mine, found, strict=True)}
