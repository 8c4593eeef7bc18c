"""What FastAPI cannot know of a service's OpenAPI document: examples of answers and refusals, who may ask, that a write may be repeated."""

import asyncio
import contextlib
import threading
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts

from shared.auth import Door, doors_of
from shared.examples import Composed
from shared.policy import ACTIONS, SCOPES
from shared.web import SENTENCES

SECURITY_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key with scopes"},
    "session": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Session` and the secret that POST /identity/sessions gave: a person, with their roles",
    },
}
PROBLEM = {
    "title": "Problem",
    "description": "Why it was refused (RFC 9457). `code` is for machines, `title` for people; `errors` says which fields are wrong.",
    "type": "object",
    "required": ["type", "title", "status", "code", "params", "errors", "reference"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["invalid", "not_signed_in", "not_allowed", "not_found", "changed_meanwhile"]},
        "params": {"type": "object"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "title", "params"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "title": {"type": "string"},
                    "params": {"type": "object"},
                },
            },
        },
        "reference": {"type": "string", "description": "By this number the log knows the same request"},
    },
}
REFUSALS = {
    "malformed": 400,
    "not_signed_in": 401,
    "not_allowed": 403,
    "not_found": 404,
    "changed_meanwhile": 409,
    "invalid": 422,
    "too_many": 429,
    "not_available": 503,
}
"""What any operation may answer instead, by its code; the operation's description says which codes beside these."""


def _refusal(code: str, status: int) -> dict[str, Any]:
    wrong = {"field": "name", "code": "too_long", "title": SENTENCES["too_long"], "params": {"max_length": 200}}
    return {
        "type": "about:blank",
        "title": SENTENCES[code],
        "status": status,
        "code": code,
        "params": {"too_many": {"seconds": 30}, "changed_meanwhile": {"current": {"version": 4}}}.get(code, {}),
        "errors": [wrong] if code == "invalid" else [],
        "reference": "3f1c9a20b7de",
    }


_REFUSED = {
    "description": "Refused: 400 `malformed`, 401 `not_signed_in`, 403 `not_allowed`, 404 `not_found` (also: not yours), 409 the world "
    "says no, 422 the form is wrong, 429 `too_many`, 503 `not_available`; the operation's description says which codes beside these",
    "content": {
        "application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": {code: {"summary": f"{status} {code}", "value": _refusal(code, status)} for code, status in REFUSALS.items()},
        }
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body again gets the same answer, and has one effect; kept for 48 hours",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[ -~]+$"},
}


def describe(app: FastAPI) -> None:
    """Complete the document that the app gives of itself, and answer it. Writing it takes a second of computing: a thread does that, while
    others are answered, and it is kept as it is sent."""
    plain, alone, kept = app.openapi, threading.Lock(), list[bytes]()

    def openapi() -> dict[str, Any]:
        with alone:  # nobody is given a document that another is still completing
            if app.openapi_schema is None:
                _complete(app, plain())
            found = app.openapi_schema
        assert found is not None
        return found

    async def show_description(request: Request) -> Response:
        if not kept:
            kept.append(await asyncio.to_thread(lambda: bytes(JSONResponse(app.openapi()).body)))
        return Response(kept[0], media_type=JSONResponse.media_type)

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_route("/openapi.json", show_description, include_in_schema=False)


def _complete(app: FastAPI, document: dict[str, Any]) -> None:
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    composed = Composed(schemas)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in context.methods or ():
            operation = document["paths"][context.path][method.lower()]
            operation["responses"].pop("422", None)
            for answer in operation["responses"].values():
                if shown := answer.get("content", {}).get("application/json"):
                    with contextlib.suppress(LookupError):  # a field of which nothing is said: a test names it, and the rest is described
                        shown["example"] = composed.of(shown["schema"])
            operation["responses"]["default"] = {"$ref": "#/components/responses/Refused"}
            operation["security"] = _who_may(doors_of(route.dependant))
            if method in ("POST", "PUT", "PATCH", "DELETE") and not getattr(route.endpoint, "secret_answer", False):
                operation.setdefault("parameters", []).append(_KEY)
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["Problem"], parts["responses"] = PROBLEM, {"Refused": _REFUSED}
    parts["securitySchemes"] = SECURITY_SCHEMES


def _who_may(doors: Iterable[Door]) -> list[dict[str, list[str]]]:
    """Any one of these opens: each scope by itself, a session where a role may. None for an open door."""
    for door in doors:
        if door.action:
            grants = ACTIONS[door.action]
            keys: list[dict[str, list[str]]] = [{"key": [scope]} for scope in SCOPES if scope in grants]
            return keys + ([{"session": []}] if set(grants) - set(SCOPES) else [])
        if door.open_why is None:
            return [{"key": []}, {"session": []}]
    return []
