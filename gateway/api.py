"""The API for external systems: /api/v1/<service>/… passes through to the services, and one OpenAPI document describes them all."""

import asyncio
import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from gateway.pages import UPLOAD_BYTES, Pages, page
from gateway.services import ALL, ASKING, FILE_SECONDS, Away, Service, identity
from gateway.session import FRESH_SECONDS, Sessions
from shared.auth import Caller, anyone
from shared.description import SECURITY_SCHEMES
from shared.refusals import Refused
from shared.web import BODY_BYTES, problem

api = APIRouter()
pages = Pages()

_PART = re.compile(r"^#/components/\w+/")
INSIDE = ("livez", "readyz", "metrics", "openapi.json", "sessions/token", "clients/token")
_PASSED_ON = ("content-type", "accept", "idempotency-key", "accept-language")
_PASSED_BACK = ("content-type", "content-disposition", "retry-after", "muster-repeated", "muster-reference", "location")
_QUERY = "%&=+!$'()*,;:@/?~[]"  # what may stand in a query as it is
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(slots=True)
class Keys:
    """API keys seen lately, by hash, with the caller token that identity gave for them."""

    known: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def token(self, key: str) -> str:
        """The caller token of an API key. Refused `not_signed_in`, `too_many`; Away while identity cannot be asked."""
        name = hashlib.sha256(key.encode()).hexdigest()
        kept = self.known.get(name)
        moment = time.monotonic()
        if kept and moment - kept[0] < FRESH_SECONDS:
            return kept[1]
        answer = await identity.ask("POST", "/clients/token", headers={"authorization": f"Bearer {key}"})
        if answer.status_code == 429:
            raise Refused("too_many", 429, {"seconds": int(answer.headers.get("retry-after", "30"))})
        if answer.status_code >= 500:
            raise Away("identity")
        if answer.status_code >= 400:
            self.known.pop(name, None)
            raise Refused("not_signed_in", 401)
        if len(self.known) > 10_000:
            self.known.clear()
        token: str = answer.json()["token"]
        self.known[name] = (moment, token)
        return token


async def _token(request: Request) -> str:
    words = request.headers.get("authorization", "").split(" ", 1)
    if len(words) < 2:
        return ""
    kind, secret = words[0].lower(), words[1].strip()
    if kind == "bearer":
        keys: Keys = request.app.state.keys
        return await keys.token(secret)
    if kind == "session":
        sessions: Sessions = request.app.state.sessions
        known, away = await sessions.look_up(secret)
        if known is not None:
            return known.token
        if away:
            raise Away("identity")
    raise Refused("not_signed_in", 401)


def _service(name: str) -> Service:
    for one in ALL:
        if one.name == name:
            return one
    raise Refused("not_found", 404)


@api.post("/api/v1/personnel/imports", include_in_schema=False, max_body_size=UPLOAD_BYTES)
async def pass_list_through(request: Request, caller: Annotated[Caller, anyone("the service behind it has the door")]) -> Response:
    """A staff list, which is larger than all else; nobody's is read."""
    if not await _token(request):
        raise Refused("not_signed_in", 401)
    return await pass_through("personnel", "imports", request, caller)


@api.api_route("/api/v1/{service}/{path:path}", methods=_METHODS, include_in_schema=False, max_body_size=BODY_BYTES)
async def pass_through(
    service: str, path: str, request: Request, caller: Annotated[Caller, anyone("the service behind it has the door")]
) -> Response:
    """Whatever the service answers, to whoever the key or the session stands for."""
    target = _service(service)
    steps = path.split("/")
    if path in INSIDE or {"", ".", ".."} & set(steps):  # nothing that another reader of the address would take for a shorter one
        raise Refused("not_found", 404)
    asking = ASKING.get()
    assert asking is not None
    asking.token = await _token(request)
    headers = {name: value for name in _PASSED_ON if (value := request.headers.get(name)) is not None} | {"muster-purpose": "api"}
    address = quote(f"/{path}", safe="/")  # it came decoded: a %3F in it is no query
    if query := request.scope["query_string"]:
        address += f"?{quote(query, safe=_QUERY)}"
    body = await request.body()
    answer = await target.ask(request.method, address, headers=headers, content=body or None, timeout=FILE_SECONDS)
    kept = {name: value for name in _PASSED_BACK if (value := answer.headers.get(name)) is not None}
    return Response(answer.content, answer.status_code, headers=kept | {"cache-control": "no-store"})


@api.get("/api/v1/openapi.json", include_in_schema=False)
async def describe(request: Request, caller: Annotated[Caller, anyone("the description holds no data")]) -> Response:
    """All services in one document. 503 while one of them cannot be asked."""
    kept: bytes = getattr(request.app.state, "description", b"")
    if not kept:
        found = await asyncio.gather(*(one.ask("GET", "/openapi.json", timeout=FILE_SECONDS) for one in ALL))  # the first is written then
        if any(answer.status_code != 200 for answer in found):
            raise Refused("not_available", 503)
        kept = await asyncio.to_thread(_written, {one.name: answer.content for one, answer in zip(ALL, found, strict=True)})
        request.app.state.description = kept
    return Response(kept, media_type=JSONResponse.media_type)


@api.api_route("/api/v1/{service}", methods=_METHODS, include_in_schema=False)
async def nothing_there(service: str, caller: Annotated[Caller, anyone("nothing is there")]) -> Response:
    """A service without an address behind it: without this a program would be sent on, to where nothing is either."""
    raise Refused("not_found", 404)


def _written(answers: dict[str, bytes]) -> bytes:
    return bytes(JSONResponse(joined({name: json.loads(content) for name, content in answers.items()})).body)


def joined(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One OpenAPI document of several: paths under the service's name, schemas named after their service."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    responses: dict[str, Any] = {}
    for name, document in documents.items():
        moved = _renamed(document, name)
        for path, operations in moved["paths"].items():
            if path.lstrip("/") in INSIDE:
                continue
            for operation in operations.values():
                operation["tags"] = [f"{name}: {tag}" for tag in operation.get("tags", ["operation"])]
                operation["operationId"] = f"{name}.{operation['operationId']}"
            paths[f"/{name}{path}"] = operations
        for part, found in (("schemas", schemas), ("responses", responses)):
            found |= {f"{name}.{one}": what for one, what in moved.get("components", {}).get(part, {}).items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Muster",
            "version": "1",
            "description": "An institution's emergency office: who is fit, who is on duty, who goes where, who has been told. "
            "Errors are problem+json with a code. Writes take an Idempotency-Key: the same key again gets the same answer.",
        },
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "securitySchemes": SECURITY_SCHEMES,
        },
        "security": [{"key": []}, {"session": []}],
    }


def _renamed(node: Any, service: str) -> Any:
    if isinstance(node, dict):
        return {
            name: _PART.sub(rf"\g<0>{service}.", value) if name == "$ref" and isinstance(value, str) else _renamed(value, service)
            for name, value in node.items()
        }
    return [_renamed(one, service) for one in node] if isinstance(node, list) else node


@pages.get("/api/docs", open_to_all="the description holds no data")
async def show_docs(request: Request) -> Response:
    """The description of the API, to read and to try."""
    return page(request, "apidocs/docs.html")


def api_problem(request: Request, status: int, code: str, **params: Any) -> Response:
    """A refusal of the gateway's own, for callers of the API."""
    return problem(request, status, code, params, headers={"Retry-After": "2"} if status == 503 else None)
