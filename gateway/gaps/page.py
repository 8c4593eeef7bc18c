"""Gaps: places of a published week that nobody holds since somebody fell out, with whom to ask; filled in two taps."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import duty

pages = Pages()

SHOWN_OF_EACH = 5


@pages.get("/gaps")
async def list_gaps(request: Request, gap_id: UUID | None = None, person_id: UUID | None = None) -> Response:
    """Open gaps, the soonest first. With a gap and a person the question is asked in place, for whoever has no script."""
    refuse_unless(request, "roster.plan")
    return await _list(request, asked=(str(gap_id), str(person_id)))


@pages.post("/gaps/{gap_id}")
async def fill_gap(request: Request, gap_id: UUID) -> Response:
    """Somebody stands in. What forbids it is said above the list: the person was booked in the meantime, or the place is filled."""
    refuse_unless(request, "roster.plan")
    form = await typed(request)
    wish = {name: form[name] for name in ("person_id", "reason") if name in form}
    answer = await duty.post(f"/gaps/{gap_id}/filling", wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse("/gaps?done=gap_filled", 303)
    return await _list(request, answer.status_code, answer.problem, form, (str(gap_id), str(form.get("person_id"))))


async def _list(request: Request, status: int = 200, problem: Any = None, form: Any = None, asked: tuple[str, str] = ("", "")) -> Response:
    gaps = await duty.get("/gaps")
    shown = {"gaps": gaps["items"], "most": SHOWN_OF_EACH, "form": form or {}, "problem": problem, "asked": asked}
    return page(request, "gaps/gaps.html", status, **shown)
