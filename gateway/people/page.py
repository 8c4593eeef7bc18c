"""People: the list with its search, one person's record beside it or by itself, and who is added, changed or has left."""

from typing import Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.i18n import N_, language
from gateway.meanwhile import changes, chosen, rebased, version_of
from gateway.pages import Pages, asked_block, page
from gateway.people.record import NOBODY, record_of
from gateway.people.record import pages as record_pages
from gateway.rights import may, may_everywhere, refuse_unless
from gateway.services import Said, address, gather, passed_on, personnel

pages = Pages()

STANDINGS = ("complete", "due", "overdue", "in_progress", "not_started", "exempt", "declined", "unknown")
EMPLOYMENTS = ("permanent", "agency", "contract", "trainee", "volunteer")
FIELDS = {
    "number": N_("Staff number"),
    "name": N_("Name"),
    "department_id": N_("Department"),
    "employment": N_("Employment"),
    "phone": N_("Phone"),
    "email": N_("E-mail"),
    "born_on": N_("Born on"),
    "joined_on": N_("Joined on"),
    "left_on": N_("Left on"),
}


@pages.get("/people")
async def list_people(
    request: Request,
    q: str = "",
    department_id: list[str] = Query(default=[]),
    employment: str = "",
    standing: str = "",
    left: str = "",
    sort: str = "",
    person: UUID | None = None,
    page_no: int = Query(default=1, ge=1, alias="page"),
) -> Response:
    """The list; with `person` the record stands beside it. Asked for the record alone, the list is not looked at again."""
    refuse_unless(request, "person.search")
    if person is not None and asked_block(request) == "record":
        return page(request, "people/person.html", **await record_of(request, person))
    sees_standing = may_everywhere(request, "standing.read")
    asked = {
        "q": q,
        "department_id": department_id,
        "employment": employment,
        "standing": standing if sees_standing else "",
        "left": "true" if left else "",
        "sort": sort,
        "page": page_no,
    }
    people, departments, record = await gather(
        _found(asked), personnel.try_get("/departments"), record_of(request, person) if person else _nobody()
    )
    problem = people if "items" not in people else None
    return page(
        request,
        "people/list.html",
        422 if problem else 200,
        people=None if problem else people,
        problem=problem,
        form={name: value for name, value in asked.items() if value},
        as_workbook=address("/people/export", {**asked, "page": None}),
        filtered=any(asked[name] for name in ("q", "department_id", "employment", "standing", "left")),
        departments=departments,
        sees_standing=sees_standing,
        sees_all=may_everywhere(request, "person.search"),
        rights={name: may(request, name) for name in ("person.create", "import.run", "department.change")},
        standings=STANDINGS,
        employments=EMPLOYMENTS,
        **record,
    )


async def _found(asked: dict[str, Any]) -> Any:
    """The people found, or the problem when the question is none (a filter from a mangled address)."""
    try:
        return await personnel.get("/people", **asked)
    except Said as said:
        if said.status != 422:
            raise
        return dict(said.problem)


async def _nobody() -> dict[str, Any]:
    return NOBODY


@pages.get("/people/export")
async def export_people(
    request: Request,
    q: str = "",
    department_id: list[str] = Query(default=[]),
    employment: str = "",
    standing: str = "",
    left: str = "",
    sort: str = "",
) -> Response:
    """Everybody whom the list finds, as a workbook."""
    refuse_unless(request, "person.search")
    asked = {"q": q, "department_id": department_id, "employment": employment, "standing": standing, "left": "true" if left else ""}
    return passed_on(await personnel.file("/people/export", **asked, sort=sort, lang=language(request)))


@pages.get("/people/new")
async def new_person(request: Request, department_id: str = "") -> Response:
    """The form for somebody to add."""
    refuse_unless(request, "person.create")
    form = {"department_id": department_id} if department_id else {}
    return await _form(request, form, None)


@pages.post("/people/new")
async def add_person(request: Request) -> Response:
    """Add somebody; then their record is open."""
    refuse_unless(request, "person.create")
    form = await typed(request)
    wish = {field: form.get(field) for field in FIELDS if field != "left_on" and form.get(field)}
    answer = await personnel.post("/people", wish, key=form_key(request))
    if not answer.problem:
        goal = f"/people/{answer.data['id']}" if may(request, "person.search") else "/people/new"
        return RedirectResponse(f"{goal}?done=person_added", 303)
    return await _form(request, form, answer.problem, answer.status_code)


pages.include_router(record_pages)  # /people/{id} and what is recorded there; after /people/new, which is no id


@pages.get("/people/{person_id}/edit")
async def edit_person(request: Request, person_id: UUID) -> Response:
    """The form with what stands there now."""
    refuse_unless(request, "person.change")
    found = await personnel.get(f"/people/{person_id}")
    now = _plain(found)
    form = {**now, **{f"was_{field}": value for field, value in now.items()}, "version": found["version"]}
    return await _form(request, form, None, person=found)


@pages.post("/people/{person_id}/edit")
async def change_person(request: Request, person_id: UUID) -> Response:
    """Save what was changed. When somebody else was faster: show what they changed, and let the person decide."""
    refuse_unless(request, "person.change")
    form = await typed(request)
    wanted = chosen(form, list(FIELDS))
    wish = {field: value or None for field, value in wanted.items()}
    answer = await personnel.send("PATCH", f"/people/{person_id}", {**wish, "version": version_of(form)}, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/people/{person_id}?done=saved", 303)
    found = await personnel.get(f"/people/{person_id}")
    if answer.problem["code"] != "changed_meanwhile":
        return await _form(request, form, answer.problem, answer.status_code, person=found)
    current = answer.problem["params"].get("current") or found
    now = _plain(current)
    return await _form(
        request,
        rebased(form, now, list(FIELDS), current["version"]),
        answer.problem,
        answer.status_code,
        person=found,
        meanwhile=changes(form, now, list(FIELDS)),
    )


def _plain(person: dict[str, Any]) -> dict[str, str]:
    """A person as the fields of the form."""
    flat = {**person, "department_id": person["department"]["id"]}
    return {field: str(flat.get(field) or "") for field in FIELDS}


async def _form(request: Request, form: Any, problem: Any, status: int = 200, **context: Any) -> Response:
    departments = await personnel.try_get("/departments")
    names = {one["id"]: one["name"] for one in (departments or {}).get("items", [])}
    context = {"person": None, "meanwhile": [], **context}
    return page(
        request,
        "people/form.html",
        status,
        form=form,
        problem=problem,
        departments=departments,
        department_names=names,
        employments=EMPLOYMENTS,
        labels=FIELDS,
        **context,
    )
