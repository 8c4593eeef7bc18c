"""The roster: a week that everybody reads once it is published; those who plan fill it, publish it and amend it, with a reason."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import Typed, form_key, typed
from gateway.pages import Pages, page
from gateway.rights import may_everywhere, refuse_unless
from gateway.rosters import week as weeks
from gateway.services import dispatch, duty, gather
from shared.clock import today

pages = Pages()

PLAN = "roster.plan"


@pages.get("/rosters")
async def go_to_this_week(request: Request) -> Response:
    """The week in which one is."""
    return RedirectResponse(f"/rosters/{weeks.monday_of(today())}", 303)


@pages.get("/rosters/{monday}")
async def show_week(request: Request, monday: date) -> Response:
    """A week as it hangs on the wall. Those who plan see what is still wrong with a draft; `publish` asks whether to publish it."""
    if monday != (first := weeks.monday_of(monday)):
        return RedirectResponse(f"/rosters/{first}", 303)
    return await _show(request, monday, "publish" in request.query_params)


async def _show(request: Request, monday: date, asks: bool = False, problem: Any = None, status: int = 200) -> Response:
    roster, on_duty = await gather(duty.get(f"/rosters/{monday}"), duty.try_get("/now"))
    plans = may_everywhere(request, PLAN)
    found = weeks.findings(roster, weeks.standing(roster), weeks.saved_problems(roster))
    known = {"roster": roster, "grid": weeks.grid_of(roster), "plans": plans, "on_duty": on_duty, "found": found}
    asks = asks and plans and roster["state"] == "draft"
    asked = {"asks": asks, "met": weeks.assignments_met(found), "may": weeks.only_assignments(found)}
    return page(request, "rosters/week.html", status, **known, **asked, **_dates(monday), problem=problem, key_of=weeks.key_of)


def _dates(monday: date) -> dict[str, Any]:
    before, after = monday - weeks.WEEK, monday + weeks.WEEK
    return {"monday": monday, "before": before, "after": after, "this_monday": weeks.monday_of(today()), "today": today().isoformat()}


@pages.get("/rosters/{monday}/edit")
async def edit_week(request: Request, monday: date) -> Response:
    """The grid to type into; with `plain` lists to choose from, for a browser without scripts."""
    refuse_unless(request, PLAN)
    roster = await duty.get(f"/rosters/{monday}")
    plain = "plain" in request.query_params
    return await _edit(request, monday, roster, weeks.standing(roster), weeks.saved_problems(roster), plain=plain)


@pages.post("/rosters/{monday}/edit")
async def save_week(request: Request, monday: date) -> Response:
    """Save the places that changed. A draft is saved with what is wrong in it; a published week only when nothing is."""
    refuse_unless(request, PLAN)
    form = await typed(request, lists=("ref",))
    roster = await duty.get(f"/rosters/{monday}")
    put_in, unclear = await weeks.resolved(weeks.put_in(form, roster))
    if unclear:
        answer = await duty.post(f"/rosters/{monday}/check", {"slots": weeks.wishes(roster, put_in)})
        wrong = weeks.checked(answer.data, unclear)
        return await _edit(request, monday, roster, put_in, wrong, form, {**_NOT_YET}, 422)
    sent = weeks.wishes(roster, put_in)
    if sent:
        if freed := await _free(form, form_key(request)):
            return await _edit(request, monday, roster, put_in, weeks.saved_problems(roster), form, freed, int(freed["status"]))
        body = {"version": form.get("version"), "reason": form.get("reason"), "free_assignments": "free" in form, "slots": sent}
        answer = await duty.send("PUT", f"/rosters/{monday}/slots", body, form_key(request))
        if answer.problem is not None:
            if answer.problem["code"] == "changed_meanwhile":  # what was typed stays, over what stands there now
                form = Typed({**form, "version": roster["version"]})
            wrong = weeks.wrong_by_place(answer.problem, sent)
            return await _edit(request, monday, roster, put_in, wrong, form, answer.problem, answer.status_code)
    if "publish" in form:
        return RedirectResponse(f"/rosters/{monday}?publish=1", 303)
    if roster["state"] == "published":
        return RedirectResponse(f"/rosters/{monday}?done={'amended' if sent else 'nothing_new'}", 303)
    return RedirectResponse(f"/rosters/{monday}/edit?done=saved{'&plain=1' if 'plain' in form else ''}", 303)


_NOT_YET = {"code": "invalid", "status": 422, "params": {}, "errors": []}


async def _free(form: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """Free the assignments that the form names, since the planner said so; answers why it could not be done."""
    if "free" not in form or not form["ref"]:
        return None
    answer = await dispatch.post("/assignments/freeing", {"refs": form["ref"], "because": "duty"}, f"{key}-freeing")
    return answer.problem


async def _edit(
    request: Request,
    monday: date,
    roster: Mapping[str, Any],
    put_in: Mapping[str, weeks.Typed],
    wrong: Mapping[str, Sequence[Mapping[str, Any]]],
    form: Mapping[str, Any] | None = None,
    problem: Mapping[str, Any] | None = None,
    status: int = 200,
    *,
    plain: bool = False,
) -> Response:
    plain = plain or "plain" in (form or {})
    found = weeks.findings(roster, put_in, wrong)
    choices = await _choices(monday, roster) if plain else {}
    met = weeks.assignments_met(found) if problem else []
    known = {"roster": roster, "grid": weeks.grid_of(roster), "put_in": put_in, "wrong": wrong, "found": found, "met": met}
    shown = {"form": form or {"version": roster["version"]}, "problem": problem, "plain": plain, "choices": choices}
    return page(request, "rosters/edit.html", status, **known, **shown, **_dates(monday))


async def _choices(monday: date, roster: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Who may hold each post, by the week's first day: one list a post."""
    answers = await gather(*(duty.try_get("/people", post_id=post["id"], on=monday) for post in roster["posts"]))
    found = {}
    for post, answer in zip(roster["posts"], answers, strict=True):
        people = [one["person"] for one in (answer or {}).get("items", [])]
        held = [slot["person"] for slot in roster["slots"] if slot["post_id"] == post["id"] and slot["person"]]
        named = {one["id"]: f"{one['name']} {one['number']}" for one in [*people, *held]}
        found[post["id"]] = sorted(named.items(), key=lambda pair: [one["id"] for one in [*people, *held]].index(pair[0]))
    return found


@pages.post("/rosters/{monday}/check")
async def check_week(request: Request, monday: date) -> Response:
    """What would be wrong with the week as it is typed; saves nothing. Words that are still being typed are nobody yet."""
    refuse_unless(request, PLAN)
    form = await typed(request)
    roster = await duty.get(f"/rosters/{monday}")
    put_in = weeks.put_in(form, roster)
    left, unclear = await weeks.resolved({key: one for key, one in put_in.items() if key != form.get("typing")})
    put_in |= left
    answer = await duty.post(f"/rosters/{monday}/check", {"slots": weeks.wishes(roster, put_in)})
    found = weeks.findings(roster, put_in, weeks.checked(answer.data, unclear)) if answer.problem is None else None
    return page(request, "rosters/edit.html", roster=roster, found=found, problem=answer.problem, **_dates(monday))


@pages.get("/rosters/{monday}/candidates")
async def list_candidates(request: Request, monday: date, post_id: UUID, on: date, q: str = "") -> Response:
    """Who may hold a place, the best first, while one types."""
    refuse_unless(request, PLAN)
    answer = await duty.try_get("/people", post_id=post_id, on=on, q=q[:100])
    return page(request, "rosters/candidates.html", candidates=answer["items"][:8] if answer else None)


@pages.post("/rosters/{monday}/copy")
async def copy_week(request: Request, monday: date) -> Response:
    """Fill the empty places with those who held them in the week before."""
    refuse_unless(request, PLAN)
    await typed(request)
    answer = await duty.post(f"/rosters/{monday}/copy", {"from_monday": str(monday - weeks.WEEK)}, form_key(request))
    if answer.problem is not None:
        return await _show(request, monday, problem=answer.problem, status=answer.status_code)
    return RedirectResponse(f"/rosters/{monday}/edit?done=week_copied", 303)


@pages.post("/rosters/{monday}/publication")
async def publish_week(request: Request, monday: date) -> Response:
    """Publish; where it was asked for, the people are freed first from the assignments that it meets."""
    refuse_unless(request, PLAN)
    form = await typed(request, lists=("ref",))
    if freed := await _free(form, form_key(request)):
        return await _show(request, monday, problem=freed, status=int(freed["status"]))
    body = {"version": form.get("version"), "free_assignments": "free" in form}
    answer = await duty.post(f"/rosters/{monday}/publication", body, form_key(request))
    if answer.problem is not None:
        return await _show(request, monday, answer.problem["code"] == "clashes", answer.problem, answer.status_code)
    return RedirectResponse(f"/rosters/{monday}?done=week_published", 303)
