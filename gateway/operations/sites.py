"""A site of an operation: renamed, given another address, or somebody who leads there and then leads its shifts to come."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.i18n import N_
from gateway.meanwhile import changes, chosen, rebased, version_of
from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import Said, dispatch

pages = Pages()

FIELDS = {"name": N_("Name of the site"), "address": N_("Address"), "leader": N_("Leader")}


@pages.get("/operations/{operation_id}/sites/{site_id}")
async def edit_site(request: Request, operation_id: UUID, site_id: UUID) -> Response:
    """The form with what stands there now."""
    refuse_unless(request, "operation.change")
    operation, site = await _found(operation_id, site_id)
    now = _plain(site)
    return _form(request, operation, site, {**now, **{f"was_{field}": value for field, value in now.items()}, "version": site["version"]})


@pages.post("/operations/{operation_id}/sites/{site_id}")
async def change_site(request: Request, operation_id: UUID, site_id: UUID) -> Response:
    """Save; where somebody else was faster, one decides."""
    refuse_unless(request, "operation.change")
    form = await typed(request)
    wish: dict[str, Any] = {field: value or None for field, value in chosen(form, list(FIELDS)).items()}
    leader = wish.pop("leader")
    if (leader or "") != str(form.get("was_leader", "")):
        people = await _called(leader) if leader else []
        if leader and len(people) != 1:
            error = {"field": "leader", "code": "several_called" if people else "nobody_called", "params": {"text": leader}}
            operation, site = await _found(operation_id, site_id)
            return _form(request, operation, site, form, {"code": "invalid", "status": 422, "params": {}, "errors": [error]}, 422)
        wish["leader_id"] = people[0] if people else None
    answer = await dispatch.send("PATCH", f"/sites/{site_id}", {**wish, "version": version_of(form)}, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/operations/{operation_id}/more?done=saved", 303)
    operation, site = await _found(operation_id, site_id)
    if answer.problem["code"] != "changed_meanwhile":
        return _form(request, operation, site, form, answer.problem, answer.status_code)
    now = _plain(site)
    again = rebased(form, now, list(FIELDS), site["version"])
    return _form(request, operation, site, again, answer.problem, answer.status_code, changes(form, now, list(FIELDS)))


async def _found(operation_id: UUID, site_id: UUID) -> tuple[Any, Any]:
    operation = await dispatch.get(f"/operations/{operation_id}")
    site = next((one for one in operation["sites"] if one["id"] == str(site_id)), None)
    if site is None:
        raise Said(404, {"code": "not_found", "status": 404, "params": {}, "errors": []})
    return operation, site


async def _called(text: str) -> list[str]:
    """Who has this number or this name."""
    return [one["id"] for one in (await dispatch.get("/teams/people", q=text))["items"] if text in (one["number"], one["name"])]


def _plain(site: Mapping[str, Any]) -> dict[str, str]:
    return {"name": site["name"], "address": site["address"] or "", "leader": (site["leader"] or {}).get("name", "")}


def _form(
    request: Request, operation: Any, site: Any, form: Mapping[str, Any], problem: Any = None, status: int = 200, meanwhile: Any = ()
) -> Response:
    context = {"operation": operation, "site": site, "labels": FIELDS, "meanwhile": list(meanwhile)}
    return page(request, "operations/site.html", status, form=form, problem=problem, **context)
