"""Teams: who leads them, who is in them; members are found by name, pinyin or number and ticked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.i18n import N_
from gateway.meanwhile import changes, chosen, rebased, version_of
from gateway.pages import Pages, page
from gateway.rights import may, refuse_unless
from gateway.services import dispatch
from shared.fitness import CODES, NONE

pages = Pages()

FIELDS = {
    "name": N_("Name of the team"),
    "leader_id": N_("Leader"),
    "deputy_id": N_("Deputy leader"),
    "requirement": N_("Requirement"),
}
RULES = [code for code in CODES if code != NONE]
FOUND_MOST = 100


@pages.get("/teams")
async def list_teams(request: Request) -> Response:
    """The teams that one is in, leads or plans with."""
    return page(request, "teams/list.html", teams=await dispatch.get("/teams"), may_change=may(request, "team.change"))


@pages.get("/teams/new")
async def new_team(request: Request) -> Response:
    """The form for a team to form."""
    refuse_unless(request, "team.change")
    return await _form(request, {"member_ids": []}, None)


@pages.post("/teams/new")
async def form_team(request: Request) -> Response:
    """Form a team, or look for people to pick from and show the form again as it was typed."""
    refuse_unless(request, "team.change")
    form = await typed(request, lists=("member_ids",))
    if "find" in form:
        return await _form(request, form, None)
    wish = {field: form.get(field) for field in FIELDS if form.get(field)}
    answer = await dispatch.post("/teams", {**wish, "member_ids": form["member_ids"]}, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/teams/{answer.data['id']}?done=team_formed", 303)
    return await _form(request, form, answer.problem, answer.status_code)


@pages.get("/teams/{team_id}")
async def show_team(request: Request, team_id: UUID) -> Response:
    """A team with its members."""
    team = await dispatch.get(f"/teams/{team_id}")
    return page(request, "teams/team.html", team=team, may_change=may(request, "team.change"))


@pages.get("/teams/{team_id}/edit")
async def edit_team(request: Request, team_id: UUID) -> Response:
    """The form with what stands there now."""
    refuse_unless(request, "team.change")
    team = await dispatch.get(f"/teams/{team_id}")
    now = _plain(team)
    members = [one["id"] for one in team["members"]]
    form = {**now, **{f"was_{field}": value for field, value in now.items()}, "version": team["version"]}
    return await _form(request, {**form, "member_ids": members, "was_members": " ".join(members)}, None, team=team)


@pages.post("/teams/{team_id}/edit")
async def change_team(request: Request, team_id: UUID) -> Response:
    """Save, or look for people. Where somebody else was faster, whom they took in or out is taken over, and what both changed is asked."""
    refuse_unless(request, "team.change")
    form = await typed(request, lists=("member_ids",))
    if "find" in form:
        return await _form(request, form, None, team=await dispatch.get(f"/teams/{team_id}"))
    wish = {field: value or None for field, value in chosen(form, list(FIELDS)).items()}
    body = {**wish, "member_ids": form["member_ids"], "version": version_of(form)}
    answer = await dispatch.send("PATCH", f"/teams/{team_id}", body, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/teams/{team_id}?done=saved", 303)
    if answer.problem["code"] != "changed_meanwhile":
        return await _form(request, form, answer.problem, answer.status_code, team=await dispatch.get(f"/teams/{team_id}"))
    team = answer.problem["params"].get("current") or await dispatch.get(f"/teams/{team_id}")
    now = _plain(team)
    again = rebased(form, now, list(FIELDS), team["version"]) | _names_in(form) | _members_after(form, team)
    return await _form(request, again, answer.problem, answer.status_code, team=team, meanwhile=changes(form, now, list(FIELDS)))


def _plain(team: Mapping[str, Any]) -> dict[str, str]:
    """A team as the fields of the form."""
    people = {field: (team[field.removesuffix("_id")] or {}).get("id", "") for field in ("leader_id", "deputy_id")}
    return {"name": team["name"], "requirement": team["requirement"] or "", **people}


def _members_after(form: Mapping[str, Any], team: Mapping[str, Any]) -> dict[str, Any]:
    """Whom one ticked or unticked oneself, on top of who is in the team by now."""
    was, wanted = set(str(form.get("was_members", "")).split()), set(form["member_ids"])
    now = [one["id"] for one in team["members"]]
    kept = [one for one in now if one not in was - wanted]
    return {"member_ids": [*kept, *sorted(wanted - was - set(now))], "was_members": " ".join(now)}


def _names_in(form: Mapping[str, Any]) -> dict[str, Any]:
    """Whom the form has named already: people found earlier stay readable when one looks for others."""
    return {name: value for name, value in form.items() if name.startswith("name_") and isinstance(value, str)}


def _said(person: Mapping[str, Any]) -> str:
    return " · ".join(str(one) for one in (person["name"], person.get("number"), person.get("department")) if one)


async def _form(request: Request, form: Any, problem: Any, status: int = 200, **context: Any) -> Response:
    team: dict[str, Any] | None = context.get("team")
    context = {"team": None, "meanwhile": [], **context}
    q = str(form.get("q", ""))
    found: Any = await dispatch.try_get("/teams/people", q=q, page_size=FOUND_MOST) if q else {"items": [], "total": 0}
    people = {name.removeprefix("name_"): value for name, value in _names_in(form).items()}
    known: list[Any] = [*team["members"], team["leader"], team["deputy"]] if team is not None else []
    for one in known:
        if one:
            people.setdefault(one["id"], _said(one))
    ticked = [one for one in form.get("member_ids", []) if one in people]
    hits: list[Any] = found["items"] if found else []
    fresh = [one for one in hits if one["id"] not in ticked]
    people |= {one["id"]: _said(one) for one in fresh}
    return page(
        request,
        "teams/form.html",
        status,
        form=form,
        problem=problem,
        people=people,
        ticked=ticked,
        fresh=[one["id"] for one in fresh],
        found=found,
        rules=RULES,
        labels=FIELDS,
        **context,
    )
