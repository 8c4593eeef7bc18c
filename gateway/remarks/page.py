"""Remarks: what people say is wrong in their own record; whoever keeps the records answers, once, and the person reads it."""

from typing import Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import personnel

pages = Pages()


@pages.get("/remarks")
async def list_remarks(
    request: Request, answered: str = "", answer: UUID | None = None, page_no: int = Query(default=1, ge=1, alias="page")
) -> Response:
    """Those without an answer, or those with one. With `answer` the form stands in place, for whoever has no script."""
    refuse_unless(request, "remark.answer")
    return await _list(request, bool(answered), page_no, asked=str(answer) if answer else "")


@pages.post("/remarks/{remark_id}")
async def answer_remark(request: Request, remark_id: UUID) -> Response:
    """Answer a remark; what was typed is kept when it is refused."""
    refuse_unless(request, "remark.answer")
    form = await typed(request)
    sent = await personnel.post(f"/remarks/{remark_id}/answer", {"text": form["text"]} if "text" in form else {}, key=form_key(request))
    if not sent.problem:
        return RedirectResponse("/remarks?done=remark_answered", 303)
    return await _list(request, False, 1, asked=str(remark_id), form=form, problem=sent.problem, status=sent.status_code)


async def _list(
    request: Request, answered: bool, page_no: int, *, asked: str = "", form: Any = None, problem: Any = None, status: int = 200
) -> Response:
    remarks = await personnel.get("/remarks", open="false" if answered else "true", page=page_no)
    found = next((one for one in remarks["items"] if one["id"] == asked), None)
    if asked and found is None:  # on another page of the list
        found = await personnel.try_get(f"/remarks/{asked}")
    return page(
        request,
        "remarks/remarks.html",
        status,
        remarks=remarks,
        answered=answered,
        asked=found if found and not found["answer"] else None,
        form=form or {},
        problem=problem,
    )
