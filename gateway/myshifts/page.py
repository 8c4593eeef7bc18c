"""One's own shifts: those one is fit and free for, signed up for in one tap and undone; duties and shifts in one line, with hours."""

from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.i18n import N_, gettext, language
from gateway.pages import Pages, page
from gateway.services import Said, dispatch, gather
from gateway.upcoming import can_take_back, coming, entries_of, hours_of, own_time, past
from shared import clock

pages = Pages()


@pages.get("/myshifts")
async def show_own_shifts(request: Request) -> Response:
    """What one could do, then what one does, then what one has done; an account that belongs to nobody yet has none of it."""
    if not request.state.me["person"]:
        raise Said(403, {"code": "not_allowed", "status": 403, "params": {}, "errors": []})
    return await _shown(request)


@pages.post("/myshifts/signup")
async def sign_up(request: Request) -> Response:
    """Sign up for a shift; what was done can be undone from the page that says so."""
    form = await typed(request)
    answer = await dispatch.post(f"/shifts/{_id(form.get('shift_id'))}/signup", {"role": form.get("role")}, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/myshifts?done=signed_up&signed={answer.data['id']}", 303)
    return await _shown(request, answer.status_code, answer.problem)


@pages.post("/myshifts/{assignment_id}/undo")
async def undo(request: Request, assignment_id: UUID) -> Response:
    """Take a sign-up back."""
    await typed(request)
    wish = {"answer": "take_back", "reason": gettext(language(request), N_("Signed up and taken back"))}
    answer = await dispatch.post(f"/assignments/{assignment_id}/answer", wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse("/myshifts?done=taken_back", 303)
    return await _shown(request, answer.status_code, answer.problem)


@pages.post("/myshifts/{assignment_id}/answer")
async def answer_shift(request: Request, assignment_id: UUID) -> Response:
    """Received, or one cannot come, with the reason."""
    form = await typed(request)
    wish = {name: form[name] for name in ("answer", "reason") if isinstance(form.get(name), str)}
    answer = await dispatch.post(f"/assignments/{assignment_id}/answer", wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/myshifts?done={'shift_received' if wish.get('answer') == 'received' else 'shift_declined'}", 303)
    return await _shown(request, answer.status_code, answer.problem, form, str(assignment_id))


def _id(text: Any) -> UUID:
    """An id from a form; what is none is nobody's, and does not lead to another address."""
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)


def _local_day(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(clock.zone()).date()


async def _shown(request: Request, status: int = 200, problem: Any = None, form: Any = None, answered: str = "") -> Response:
    now = clock.now().astimezone(clock.zone())
    own, open_shifts = await gather(own_time(now), dispatch.try_get("/shifts/open/mine"))
    duties, shifts = own
    entries = entries_of(duties, shifts, now)
    ahead, over = coming(entries), past(entries)
    signed = request.query_params.get("signed", "")
    fresh = next((one for one in ahead if one.id == signed and one.state == "confirmed"), None)
    by_day = groupby(open_shifts["items"] if open_shifts else [], key=lambda one: _local_day(one["starts_at"]))
    return page(
        request,
        "myshifts/myshifts.html",
        status,
        open_shifts=open_shifts,
        days=[(on, list(those)) for on, those in by_day],
        ahead=ahead,
        over=over,
        fresh=fresh,
        taking_back={one.id for one in ahead if can_take_back(one, now)},
        hours={kind: hours_of(over, kind) for kind in ("duty", "shift")},
        duties_known=duties is not None,
        shifts_known=shifts is not None,
        problem=problem,
        form=form or {},
        answered=answered,
    )
