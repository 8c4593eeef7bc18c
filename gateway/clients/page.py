"""API clients: external systems with scopes and an end, keys shown once, and the second person, who gets the keys of health scopes."""

from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.services import Answer, identity
from shared.policy import HEALTH_SCOPES, SCOPES

pages = Pages()


@pages.get("/clients")
async def list_clients(request: Request) -> Response:
    """The clients with their keys."""
    return await _list(request)


async def _list(request: Request, status: int = 200, **context: Any) -> Response:
    clients = await identity.get("/clients", page=request.query_params.get("page"), page_size=50)
    known = {"clients": clients, "scopes": SCOPES, "health_scopes": HEALTH_SCOPES, "today": request.state.now.date()}
    return page(request, "clients/list.html", status, **{**known, "form": {}, "problem": None, **context})


@pages.post("/clients")
async def make_client(request: Request) -> Response:
    """Make a client and its first key, which is shown this once, or waits for the second person."""
    form = await typed(request, lists=("scopes",))
    wish = {"name": form.get("name"), "scopes": form["scopes"], "expires_on": form.get("expires_on")}
    answer = await identity.post("/clients", wish, form_key(request))
    if answer.problem:
        return await _list(request, answer.status_code, form=form, problem=answer.problem)
    if "muster-repeated" in answer.headers:  # the form arrived before: a second key would be one that nobody asked for
        return RedirectResponse("/clients?done=client_made", 303)
    made = await identity.post(f"/clients/{answer.data['id']}/keys", {})
    return await _key(request, answer.data, made)


@pages.post("/clients/{client_id}/keys")
async def make_key(request: Request, client_id: UUID) -> Response:
    """Make another key; two may be live at once."""
    form = await typed(request)
    made = await identity.post(f"/clients/{client_id}/keys", {"expires_on": form.get("expires_on")}, form_key(request))
    if made.problem:
        return await _list(request, made.status_code, form=form, problem=made.problem, at=str(client_id))
    clients = await identity.get("/clients", page_size=200)
    client = next((one for one in clients["items"] if one["id"] == str(client_id)), None)
    return await _key(request, client, made)


async def _key(request: Request, client: Any, made: Answer) -> Response:
    if made.problem or client is None:
        return await _list(request, made.status_code, problem=made.problem)
    if made.data["key"] is None:
        return RedirectResponse("/clients?done=key_asked", 303)
    return page(request, "clients/key.html", client=client, keys=[made.data])


@pages.post("/clients/{client_id}/keys/{key_id}/end")
async def end_key(request: Request, client_id: UUID, key_id: str) -> Response:
    """End a key."""
    await typed(request)
    answer = await identity.send("DELETE", f"/clients/{client_id}/keys/{key_id[:20]}", key=form_key(request))
    if answer.problem:
        return await _list(request, answer.status_code, problem=answer.problem, at=str(client_id))
    return RedirectResponse("/clients?done=key_ended", 303)


@pages.post("/clients/{client_id}/end")
async def end_client(request: Request, client_id: UUID) -> Response:
    """End a client with its keys."""
    await typed(request)
    answer = await identity.send("DELETE", f"/clients/{client_id}", key=form_key(request))
    if answer.problem:
        return await _list(request, answer.status_code, problem=answer.problem, at=str(client_id))
    return RedirectResponse("/clients?done=client_ended", 303)


@pages.post("/clients/{client_id}/decision")
async def decide_client(request: Request, client_id: UUID) -> Response:
    """Be the second person for a client and for its keys that wait, which are made now and shown to nobody else."""
    form = await typed(request)
    version = str(form.get("version", ""))
    body = {"verdict": form.get("verdict", ""), "version": int(version) if version.isdecimal() else version}
    answer = await identity.post(f"/clients/{client_id}/approval", body, form_key(request))
    if answer.problem:
        return await _list(request, answer.status_code, problem=answer.problem, at=str(client_id))
    if made := [one for one in answer.data["keys"] if one["key"]]:
        return page(request, "clients/key.html", client=answer.data, keys=made)
    return RedirectResponse(f"/clients?done={body['verdict'] if body['verdict'] in ('approved', 'refused') else 'saved'}", 303)
