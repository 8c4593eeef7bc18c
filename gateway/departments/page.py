"""Departments: who answers for which, added and changed; people are picked from the department itself or found by name."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.i18n import N_
from gateway.meanwhile import changes, chosen, rebased, version_of
from gateway.pages import Pages, page
from gateway.rights import may, may_everywhere, refuse_unless
from gateway.services import Said, gather, personnel

pages = Pages()

FIELDS = {
    "name": N_("Name of the department"),
    "parent_id": N_("Lies below"),
    "head_id": N_("Head"),
    "reporter_id": N_("Reporter"),
    "deputy_id": N_("Deputy"),
}
ANSWERING = ("head_id", "reporter_id", "deputy_id")
PICKED_FROM_MOST = 200


@pages.get("/departments")
async def list_departments(request: Request) -> Response:
    """Every department with those who answer for it."""
    refuse_unless(request, "department.change", "person.search")
    departments = await personnel.get("/departments")
    rights = {"department.change": may(request, "department.change"), "person.search": may_everywhere(request, "person.search")}
    names = {one["id"]: one["name"] for one in departments["items"]}
    return page(request, "departments/list.html", departments=departments, names=names, rights=rights)


@pages.get("/departments/new")
async def new_department(request: Request) -> Response:
    """The form for a department to add."""
    refuse_unless(request, "department.change")
    return await _new(request, {}, None)


@pages.post("/departments/new")
async def add_department(request: Request) -> Response:
    """Add a department; next one says who answers for it."""
    refuse_unless(request, "department.change")
    form = await typed(request)
    wish = {name: form[name] for name in ("name", "parent_id") if name in form}
    answer = await personnel.post("/departments", wish, key=form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/departments/{answer.data['id']}/edit?done=department_added", 303)
    return await _new(request, form, answer.problem, answer.status_code)


async def _new(request: Request, form: Any, problem: Any, status: int = 200) -> Response:
    departments = await personnel.get("/departments")
    return page(request, "departments/new.html", status, form=form, problem=problem, departments=departments)


@pages.get("/departments/{department_id}/edit")
async def edit_department(request: Request, department_id: UUID, q: str = "") -> Response:
    """The form with what stands there now."""
    refuse_unless(request, "department.change")
    departments = await personnel.get("/departments")
    found = _one(departments, department_id)
    now = _plain(found)
    form = {**now, **{f"was_{field}": value for field, value in now.items()}, "version": found["version"], "q": q}
    return await _edit(request, department_id, departments, form, None)


@pages.post("/departments/{department_id}/edit")
async def change_department(request: Request, department_id: UUID) -> Response:
    """Save, or look for more people to pick from and show the form again as it was typed."""
    refuse_unless(request, "department.change")
    form = await typed(request)
    if "find" in form:
        return await _edit(request, department_id, await personnel.get("/departments"), form, None)
    wish: dict[str, Any] = {field: value or None for field, value in chosen(form, list(FIELDS)).items()}
    body = {**wish, "version": version_of(form)}
    answer = await personnel.send("PATCH", f"/departments/{department_id}", body, form_key(request))
    if not answer.problem:
        return RedirectResponse("/departments?done=saved", 303)
    departments = await personnel.get("/departments")
    if answer.problem["code"] != "changed_meanwhile":
        return await _edit(request, department_id, departments, form, answer.problem, answer.status_code)
    current = answer.problem["params"].get("current") or _one(departments, department_id)
    now = _plain(current)
    again = rebased(form, now, list(FIELDS), current["version"])
    return await _edit(
        request, department_id, departments, again, answer.problem, answer.status_code, changes(form, now, list(FIELDS)), current
    )


def _one(departments: dict[str, Any], department_id: UUID) -> dict[str, Any]:
    """The department among all; one that is not there is the page of errors."""
    found = next((one for one in departments["items"] if one["id"] == str(department_id)), None)
    if found is None:
        raise Said(404, {"code": "not_found", "status": 404, "params": {}, "errors": []})
    return dict(found)


def _plain(department: dict[str, Any]) -> dict[str, str]:
    """A department as the fields of the form."""
    people = {field: (department[field.removesuffix("_id")] or {}).get("id", "") for field in ANSWERING}
    return {"name": department["name"], "parent_id": department["parent_id"] or "", **people}


async def _edit(
    request: Request,
    department_id: UUID,
    departments: dict[str, Any],
    form: Any,
    problem: Any,
    status: int = 200,
    meanwhile: Any = (),
    current: dict[str, Any] | None = None,
) -> Response:
    found = _one(departments, department_id)
    searches = may_everywhere(request, "person.search")
    own: dict[str, Any] | None = None
    others: dict[str, Any] | None = None
    if searches:
        q = str(form.get("q", ""))
        own, others = await gather(
            personnel.try_get("/people", department_id=department_id, page_size=PICKED_FROM_MOST),
            personnel.try_get("/people", q=q, page_size=50) if q else _none(),
        )
    people = {one["id"]: one["name"] for held in (current or found, found) for one in _answering(held)}
    for one in [*(own or {}).get("items", []), *(others or {}).get("items", [])]:
        people[one["id"]] = f"{one['name']} · {one['number']} · {one['department']['name']}"
    for wanted in {str(form.get(field, "")) for field in ANSWERING} - {"", *people}:
        if _is_id(wanted) and (person := await personnel.try_get(f"/people/{wanted}")):
            people[wanted] = f"{person['name']} · {person['number']} · {person['department']['name']}"
    return page(
        request,
        "departments/edit.html",
        status,
        department=found,
        departments=departments,
        names={one["id"]: one["name"] for one in departments["items"]},
        people=people,
        searches=searches,
        found_count=None if others is None else others["total"],
        form=form,
        problem=problem,
        meanwhile=list(meanwhile),
        labels=FIELDS,
    )


def _is_id(text: str) -> bool:
    """Could this be somebody's id? What was typed into an address by hand must not lead elsewhere."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _answering(department: dict[str, Any]) -> list[dict[str, str]]:
    return [one for one in (department["head"], department["reporter"], department["deputy"]) if one]


async def _none() -> None:
    return None
