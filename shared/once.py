"""Idempotency-Key: the answer is kept in the transaction of what it answers, so that a repeat gets the same one and there is one effect."""

import functools
import hashlib
import inspect
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from pydantic import TypeAdapter
from sqlalchemy import text

from shared.auth import caller_of
from shared.clock import real_now
from shared.db import Tx
from shared.refusals import Refused

KEPT_HOURS = 48
_JSON = "application/json"
_CLAIM = text(
    "insert into answer (caller, route, key, body_hash, given_at) values (:caller, :route, :key, :body_hash, :given_at)"
    " on conflict do nothing"
)
_KEPT = text("select body_hash, status, body from answer where caller = :caller and route = :route and key = :key")
_KEEP = text("update answer set status = :status, body = :body where caller = :caller and route = :route and key = :key")


def secret_answer(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The answer holds a secret that is shown once: it is not kept, and a repeat with the same key is a new request."""
    endpoint.secret_answer = True  # type: ignore[attr-defined]
    return endpoint


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= 100 or not key.isascii() or not key.isprintable():
        raise Refused("key_malformed", 400)
    return key


def answered_once(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    """Wrap an endpoint that writes: with an Idempotency-Key its answer is kept, and given again to whoever repeats it."""
    signature = inspect.signature(endpoint, eval_str=True)
    answer_type = (
        TypeAdapter(signature.return_annotation) if signature.return_annotation not in (inspect.Signature.empty, None, Response) else None
    )
    names = set(signature.parameters)
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind)
        for name, kind in (("request_", Request), ("tx_", Tx))
        if name not in names
    ]

    @functools.wraps(endpoint)
    async def once(*args: Any, request_: Request, tx_: Any, **given: Any) -> Any:
        key, caller = _key(request_), caller_of(request_)
        if key is None or caller.kind == "nobody":
            return await endpoint(*args, **given)
        who, route = f"{caller.kind}:{caller.id or caller.person_id}", f"{request_.method} {request_.url.path}"
        digest = hashlib.sha256(await request_.body() + b"?" + request_.url.query.encode()).hexdigest()
        mine = {"caller": who, "route": route, "key": key}
        connection = await tx_.connection()
        # whoever comes second waits here until the first has committed or given up
        fresh = await connection.execute(_CLAIM, {**mine, "body_hash": digest, "given_at": real_now()})
        if not fresh.rowcount:
            kept = (await connection.execute(_KEPT, mine)).one()
            if kept.body_hash != digest:
                raise Refused("key_used_differently", 422)
            return Response(
                kept.body or b"", kept.status or status, media_type=_JSON if kept.body else None, headers={"Muster-Repeated": "true"}
            )
        answer = await endpoint(*args, **given)
        if isinstance(answer, Response):
            body, code, media = bytes(answer.body), answer.status_code, answer.media_type
        else:
            body = answer_type.dump_json(answer) if answer_type is not None and answer is not None else b""
            code, media = status, _JSON if body else None
            answer = Response(body, code, media_type=media)
        await connection.execute(_KEEP, {**mine, "status": code, "body": body or None})
        return answer

    parameters = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    once.__signature__ = signature.replace(parameters=[*parameters, *extra])  # type: ignore[attr-defined]
    return once
