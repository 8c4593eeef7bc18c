"""The page of whoever leads a shift on the phone: who is there, who is late, checked in and out, corrected, walk-ons, samples by hour."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.entering import wrong_field
from gateway.forms import form_key, local_times, typed
from gateway.pages import Pages, page
from gateway.rights import may
from gateway.services import Answer, Said, address, dispatch, gather
from shared import clock

pages = Pages()

COUNTED = ("testing",)  # kinds of operations in which samples are taken
HELD = ("proposed", "confirmed", "checked_in", "checked_out", "no_show")
ACTS = {
    "checkin": "person_checked_in",
    "checkout": "person_checked_out",
    "noshow": "marked_no_show",
    "correction": "times_corrected",
}
TIMES = {"checkin": ("at",), "checkout": ("at",), "correction": ("checked_in_at", "checked_out_at")}
LEAST_LETTERS = 2


@pages.get("/attendance/{shift_id}")
async def show_attendance(request: Request, shift_id: UUID, q: str = "") -> Response:
    """Who is there, who is not yet, and what was counted."""
    return await _shown(request, shift_id, q=q)


@pages.post("/attendance/{shift_id}/walkon")
async def walk_on(request: Request, shift_id: UUID) -> Response:
    """Somebody is there unplanned, and checked in at once."""
    form = await typed(request)
    wish = {name: form.get(name) for name in ("person_id", "role")}
    answer = await dispatch.post(f"/shifts/{shift_id}/walkons", wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/attendance/{shift_id}?done=walked_on", 303)
    return await _shown(request, shift_id, answer, "walkon", str(form.get("q", "")))


@pages.post("/attendance/{shift_id}/count")
async def enter_count(request: Request, shift_id: UUID) -> Response:
    """Enter or correct the samples of an hour; the one before stays on record."""
    form = await typed(request)
    wish = {name: form.get(name) for name in ("on", "hour", "samples")}
    path = f"/sites/{_id(form.get('site_id'))}/counts"
    answer = await dispatch.send("PUT", path, wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/attendance/{shift_id}?done=counted", 303)
    return await _shown(request, shift_id, answer, "count", form=form)


@pages.post("/attendance/{shift_id}/{act}")
async def record(request: Request, shift_id: UUID, act: str) -> Response:
    """Check somebody in or out, say that they did not come, or when they really came and went."""
    form = await typed(request)
    if act not in ACTS:
        raise Said(404, {"code": "not_found", "params": {}})
    wish = {"reason": form["reason"]} if form.get("reason") and act in ("noshow", "correction") else {}
    for name in TIMES.get(act, ()):
        if form.get(name):
            meant = local_times(str(form[name]), clock.zone())
            if not meant:
                return await _shown(request, shift_id, Answer(422, problem=wrong_field(name, "no_such_time")), "people", form=form)
            wish[name] = meant[-1].isoformat()  # of a time that the clock shows twice the later
    answer = await dispatch.post(f"/assignments/{_id(form.get('assignment_id'))}/{act}", wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/attendance/{shift_id}?done={ACTS[act]}", 303)
    return await _shown(request, shift_id, answer, "people", form=form)


def _id(text: Any) -> UUID:
    """An id from a form; what is none is nobody's, and does not lead to another address."""
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)


async def _shown(
    request: Request, shift_id: UUID, answer: Answer | None = None, which: str = "", q: str = "", form: Any = None
) -> Response:
    now = clock.now().astimezone(clock.zone())
    shift = await dispatch.get(f"/shifts/{shift_id}")
    person = request.state.me["person"]
    leads = bool(person and shift["leader"] and shift["leader"]["id"] == person["id"])
    if not (leads or may(request, "attendance.record")):
        raise Said(403, {"code": "not_allowed", "status": 403, "params": {}, "errors": []})
    hours = hours_of(shift, now) if shift["operation"]["kind"] in COUNTED and (leads or may(request, "count.record")) else []
    days = sorted({one["on"] for one in hours})
    found, corrected, *counted = await gather(
        dispatch.try_get(f"/shifts/{shift_id}/walkons", q=q) if len(q) >= LEAST_LETTERS else _nothing(),
        dispatch.try_get(f"/shifts/{shift_id}/corrections"),
        *(dispatch.try_get(f"/sites/{shift['site']['id']}/counts", on=on) for on in days),
    )
    held = [one for one in shift["assignments"] if one["state"] in HELD]
    return page(
        request,
        "checkin/lead.html",
        answer.status_code if answer else 200,
        shift=shift,
        to_shift=may(request, "board.read"),
        groups=grouped(held),
        corrections=corrections_of(corrected),
        begun=(starts_at := datetime.fromisoformat(shift["starts_at"]).astimezone(clock.zone())) <= now,
        starts_at=starts_at,
        ended=ends_at if (ends_at := datetime.fromisoformat(shift["ends_at"]).astimezone(clock.zone())) <= now else None,
        place_count=sum(one["head_count"] for one in shift["roles"]),
        hours=hours,
        counts={(day["on"], one["hour"]): one for day in counted if day for one in day["hours"]},
        counts_known=all(day is not None for day in counted),
        q=q,
        found=found,
        refused=which,
        problem=answer.problem if answer else None,
        form=form or {},
        here=address(f"/attendance/{shift_id}", {"q": q}),
    )


def corrections_of(told: Mapping[str, Any] | None) -> dict[str, list[dict[str, Any]]]:
    """What was corrected, by assignment; nothing while it cannot be asked."""
    return {one["assignment_id"]: one["corrections"] for one in (told or {"items": []})["items"]}


async def _nothing() -> None:
    return None


def grouped(people: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """People by what one does about them: not there yet (the late first), there, gone, did not come."""
    missing = [one for one in people if one["state"] in ("proposed", "confirmed")]
    missing.sort(key=lambda one: (not one["late"], one["role"], one["person"]["name"]))
    rest = {state: [one for one in people if one["state"] == state] for state in ("checked_in", "checked_out", "no_show")}
    return [(name, those) for name, those in (("missing", missing), *rest.items()) if those]


def hours_of(shift: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The hours of a shift that have begun, the latest first, each with its local day."""
    ends_at = min(datetime.fromisoformat(shift["ends_at"]), now)
    at = datetime.fromisoformat(shift["starts_at"]).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found: list[dict[str, Any]] = []
    while at < ends_at:
        local = at.astimezone(clock.zone())
        one = {"on": local.date().isoformat(), "hour": local.hour}
        if one not in found:  # an hour that a changed clock repeats is one
            found.append(one)
        at += timedelta(hours=1)
    return found[::-1]
