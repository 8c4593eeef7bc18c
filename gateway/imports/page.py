"""Imports: a staff list is chosen, read with everything it would change, and written; what is wrong is told all at once."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from gateway.forms import Typed, form_key, typed, uploaded
from gateway.i18n import language
from gateway.pages import Pages, page
from gateway.services import FILE_SECONDS, NOT_AVAILABLE, Answer, Away, gather, personnel, problem_of

pages = Pages()

MOVING = ("reading", "committing")
OUTCOMES = ("refused", "changed", "new", "same")  # what has to be looked at first
ROWS_SHOWN = {"refused": 50, "changed": 50, "new": 20, "same": 20}
NOTHING = "none"  # what a column is written to when it is left out: an empty choice would not be sent


@pages.get("/imports")
async def list_imports(request: Request) -> Response:
    """Choose a file; the imports there have been."""
    return await _list(request)


async def _list(request: Request, status: int = 200, **context: Any) -> Response:
    imports = await personnel.get("/imports", page=request.query_params.get("page"), page_size=20)
    return page(request, "imports/list.html", status, imports=imports, **{"form": {}, "problem": None, **context})


@pages.post("/imports")
async def upload(request: Request) -> Response:
    """Hand the file on; it is read while one waits."""
    form = await typed(request)
    file = await uploaded(request, "file")
    if file is None:
        missing = {"code": "invalid", "params": {}, "errors": [{"field": "file", "code": "required", "params": {}}]}
        return await _list(request, 422, form=form, problem=missing)
    wish = {name: form[name] for name in ("encoding", "sheet") if isinstance(form.get(name), str)}
    answer = await _hand_on(file, wish, form_key(request))
    if answer.problem:
        return await _list(request, answer.status_code, form=form, problem=answer.problem)
    return RedirectResponse(f"/imports/{answer.data['id']}", 303)


async def _hand_on(file: UploadFile, wish: Mapping[str, str], key: str) -> Answer:
    """The same form sent twice has the same boundary, and so is seen to be the same."""
    boundary = hashlib.sha256(key.encode()).hexdigest()
    headers = {"idempotency-key": key, "content-type": f"multipart/form-data; boundary={boundary}"}
    sent = {"file": (file.filename, file.file, file.content_type or "application/octet-stream")}
    try:
        answer = await personnel.ask("POST", "/imports", headers=headers, files=sent, data=wish, timeout=FILE_SECONDS)
    except Away:
        return Answer(503, problem=dict(NOT_AVAILABLE))
    if answer.status_code >= 400:
        return Answer(answer.status_code, problem=problem_of(answer))
    return Answer(answer.status_code, answer.json())


@pages.get("/imports/{import_id}")
async def show_import(request: Request, import_id: UUID) -> Response:
    """How far it is, what it would change, or what it has changed."""
    return await _show(request, import_id)


async def _show(request: Request, import_id: UUID, status: int = 200, **context: Any) -> Response:
    shown = await personnel.get(f"/imports/{import_id}")
    rows = departments = programmes = None
    judged = shown["state"] in ("ready", "committed") and bool(shown["columns"]) and shown["problem"] is None
    outcome = _outcome(request, shown["counts"])
    if judged:
        path, asked = f"/imports/{import_id}/rows", request.query_params.get("page")
        rows, departments, programmes = await gather(
            personnel.try_get(path, outcome=outcome, page=asked, page_size=ROWS_SHOWN[outcome]),
            personnel.try_get("/departments"),
            personnel.try_get("/programmes"),
        )
    known = {
        "shown": shown,
        "moving": shown["state"] in MOVING,
        "judged": judged,
        "rows": rows,
        "outcome": outcome,
        "outcomes": OUTCOMES,
        "departments": departments["items"] if departments else [],
        "products": _products(programmes, language(request)),
        "nothing": NOTHING,
    }
    return page(request, "imports/import.html", status, **{**known, "form": {}, "problem": None, **context})


def _outcome(request: Request, counts: Mapping[str, int]) -> str:
    """The rows asked for; without a wish those that need a look first."""
    asked = request.query_params.get("outcome", "")
    return asked if asked in OUTCOMES else next((one for one in OUTCOMES if counts[one]), "new")


def _products(programmes: Any, lang: str) -> dict[str, str]:
    """What each product is called."""
    found = programmes["items"] if programmes else []
    return {product["code"]: product["names"].get(lang, product["code"]) for one in found for product in one["products"]}


@pages.post("/imports/{import_id}/columns")
async def choose_columns(request: Request, import_id: UUID) -> Response:
    """Read the list in another way: sheet, columns, row of headings, encoding, new departments."""
    form = await typed(request)
    answer = await personnel.send("PUT", f"/imports/{import_id}/columns", _reading(form), form_key(request), timeout=FILE_SECONDS)
    if answer.problem:
        return await _show(request, import_id, answer.status_code, form=form, problem=answer.problem)
    return RedirectResponse(f"/imports/{import_id}", 303)


def _reading(form: Typed) -> dict[str, Any]:
    """What was chosen otherwise than it was; what stays as it is, is not said again."""
    wish: dict[str, Any] = {}
    names = [name.removeprefix("column_") for name in form if name.startswith("column_")]
    if "sheet" in form and form["sheet"] != form.get("was_sheet"):
        return {"sheet": form["sheet"]}  # what stood beside it spoke of the sheet that is left
    moved = {name: form[f"column_{name}"] for name in names if form[f"column_{name}"] != form.get(f"was_{name}")}
    if moved:
        wish["columns"] = {name: None if field == NOTHING else field for name, field in moved.items()}
    if form.get("encoding", "") != form.get("was_encoding", ""):
        wish["encoding"] = form.get("encoding")
    if "heading_row" in form and form["heading_row"] != form.get("was_heading_row"):
        wish["heading_row"] = form["heading_row"]
    if "ask_departments" in form:
        wish["create_departments"] = "create_departments" in form
    if "ask_missing" in form:
        wish |= {name: form.get(name) for name in ("employment", "department")}
    return wish


@pages.post("/imports/{import_id}/commit")
async def commit_import(request: Request, import_id: UUID) -> Response:
    """Write what was shown."""
    await typed(request)
    answer = await personnel.post(f"/imports/{import_id}/commit", key=form_key(request))
    if answer.problem:
        return await _show(request, import_id, answer.status_code, problem=answer.problem)
    return RedirectResponse(f"/imports/{import_id}", 303)


@pages.post("/imports/{import_id}/abandon")
async def abandon_import(request: Request, import_id: UUID) -> Response:
    """Give it up; nothing was written."""
    await typed(request)
    answer = await personnel.send("DELETE", f"/imports/{import_id}", key=form_key(request))
    if answer.problem:
        return await _show(request, import_id, answer.status_code, problem=answer.problem)
    return RedirectResponse("/imports?done=import_abandoned", 303)


@pages.get("/imports/{import_id}/refused")
async def download_refused(request: Request, import_id: UUID) -> Response:
    """The refused rows as a file, to mend and bring again."""
    answer = await personnel.file(f"/imports/{import_id}/refused", lang=language(request))
    kept = {name: answer.headers[name] for name in ("content-type", "content-disposition") if name in answer.headers}
    return Response(answer.content, headers={**kept, "cache-control": "no-store"})
