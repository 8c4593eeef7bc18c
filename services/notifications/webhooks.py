"""Webhooks: an outside system is told who was confirmed, signed after Standard Webhooks, again until it takes it, never inside."""

import asyncio
import base64
import json
import secrets
import socket
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from fastapi import Path
from pydantic import Field
from sqlalchemy import func, select, update

from services.notifications.acts import WEBHOOK
from services.notifications.rules import is_inside, signature
from services.notifications.tables import Webhook
from shared.auth import SYSTEM, Caller, require
from shared.clock import now, real_now
from shared.db import Database, Read, Tx, lock
from shared.errand import CannotSend
from shared.house import Errand
from shared.once import secret_answer
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.settings import settings
from shared.story import example_id
from shared.web import Body, Line, Listed, PageNo, PageSize, Shown

webhooks = Slice(prefix="/webhooks", tags=["webhooks"])

WebhookId = Annotated[UUID, Path(examples=[example_id("webhook")])]
Kind = Literal["assignment.confirmed"]
MOST = 20
SECONDS = 10
PLAIN_PORT, TLS_PORT = 80, 443


class NewWebhook(Body):
    """Where an outside system wants to be told."""

    url: Line = Field(max_length=500, description="https, to the open internet")
    kind: Kind

    model_config = Body.model_config | {
        "json_schema_extra": {"example": {"url": "https://hooks.example.org/muster", "kind": "assignment.confirmed"}}
    }


class WebhookShown(Shown):
    """A webhook, without its secret."""

    id: UUID
    url: str = Field(examples=["https://hooks.example.org/muster"])
    kind: Kind
    made_by: str
    made_at: datetime
    ended_at: datetime | None


class WebhookMade(WebhookShown):
    """A new webhook."""

    secret: str = Field(
        examples=["whsec_q3ZkN0uB7yVtLw1xGm8sPj5dRh2cFa9e"], description="By which the receiver verifies the signature; shown this once"
    )


class DeliveryShown(Shown):
    """One message to a webhook."""

    id: UUID
    state: Literal["waiting", "sent", "failed"] = Field(examples=["sent"])
    tries: int = Field(examples=[1])
    error: str | None
    made_at: datetime
    due_at: datetime
    ended_at: datetime | None = Field(examples=["2021-08-05T08:25:01Z"])


def _shown(row: Webhook) -> dict[str, Any]:
    return {"id": row.id, "url": row.url, "kind": row.kind, "made_by": row.made_by_name, "made_at": row.made_at, "ended_at": row.ended_at}


@webhooks.get("")
async def list_webhooks(
    caller: Annotated[Caller, require("webhook.change")], read: Read, page: PageNo = 1, page_size: PageSize = 50
) -> Listed[WebhookShown]:
    """Webhooks, those in use first."""
    total = await read.scalar(select(func.count()).select_from(Webhook)) or 0
    wanted = select(Webhook).order_by(Webhook.ended_at.is_not(None), Webhook.made_at.desc(), Webhook.id.desc())
    rows = await read.scalars(wanted.limit(page_size).offset((page - 1) * page_size))
    return Listed(items=[WebhookShown(**_shown(row)) for row in rows], total=total, page=page, page_size=page_size)


@webhooks.post("", status_code=201)
@secret_answer
async def make_webhook(wish: NewWebhook, caller: Annotated[Caller, require("webhook.change")], tx: Tx) -> WebhookMade:
    """Make a webhook. Refused 422: `address_unreadable`, `https_needed`, `address_inside`; `too_many_webhooks`."""
    _judge(wish.url)
    await lock(tx, "webhooks", "number")
    if (await tx.scalar(select(func.count()).select_from(Webhook).where(Webhook.ended_at.is_(None))) or 0) >= MOST:
        raise Refused("too_many_webhooks", 409, {"limit": MOST})
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    row = Webhook(url=wish.url, kind=wish.kind, secret=secret, made_by_name=caller.name, made_at=now())
    tx.add(row)
    await tx.flush()
    return WebhookMade(**_shown(row), secret=secret)


def _judge(url: str) -> None:
    """What can be said of an address before anybody calls it; where its name leads is looked up at each call."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as odd:
        raise wrong("url", "address_unreadable") from odd
    if not host or parts.username is not None or parts.password is not None or port == 0 or not url.isascii() or " " in url:
        raise wrong("url", "address_unreadable")
    if parts.scheme != "https" and not (parts.scheme == "http" and settings().webhook_inside):
        raise wrong("url", "https_needed")
    if not settings().webhook_inside and (_is_inside_literally(host) or host == "localhost" or host.endswith((".localhost", ".local"))):
        raise wrong("url", "address_inside")


def _is_inside_literally(host: str) -> bool:
    try:
        return is_inside(str(ip_address(host)))
    except ValueError:
        return False


@webhooks.delete("/{webhook_id}", status_code=204)
async def end_webhook(webhook_id: WebhookId, caller: Annotated[Caller, require("webhook.change")], tx: Tx) -> None:
    """End a webhook; what still waits for it is not sent. Twice is once. Refused: `not_found`."""
    row = await tx.get(Webhook, webhook_id, with_for_update=True)
    if row is None:
        raise Refused("not_found", 404)
    row.ended_at = row.ended_at or now()
    gone = {"state": "failed", "error": "the webhook was ended", "ended_at": real_now(), "claimed_until": None}
    waiting = update(Errand).where(Errand.kind == WEBHOOK, Errand.lane == str(webhook_id), Errand.state == "waiting")
    await tx.execute(waiting.values(gone).execution_options(synchronize_session=False))


@webhooks.get("/{webhook_id}/deliveries")
async def list_deliveries(
    webhook_id: WebhookId, caller: Annotated[Caller, require("webhook.change")], read: Read, page: PageNo = 1, page_size: PageSize = 50
) -> Listed[DeliveryShown]:
    """What was sent to a webhook and what became of it, the latest first; `due_at` of one that waits is its next try."""
    if await read.get(Webhook, webhook_id) is None:
        raise Refused("not_found", 404)
    mine = (Errand.kind == WEBHOOK, Errand.lane == str(webhook_id))
    total = await read.scalar(select(func.count()).select_from(Errand).where(*mine)) or 0
    wanted = select(Errand).where(*mine).order_by(Errand.made_at.desc(), Errand.id.desc())
    rows = await read.scalars(wanted.limit(page_size).offset((page - 1) * page_size))
    return Listed(items=[DeliveryShown.model_validate(row) for row in rows], total=total, page=page, page_size=page_size)


@webhooks.errand(WEBHOOK)
async def call(database: Database, errand: Errand) -> None:
    """Send one message: to the address that was looked at, and nowhere else."""
    async with database.reading(SYSTEM) as read:
        hook = await read.get(Webhook, UUID(errand.payload["webhook_id"]))
    if hook is None or hook.ended_at is not None:
        raise CannotSend("the webhook was ended", permanent=True)
    body = json.dumps(errand.payload["body"], ensure_ascii=False, separators=(",", ":")).encode()
    at = int(real_now().timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": str(errand.id),  # the same at every try, so that the receiver knows a repeat
        "webhook-timestamp": str(at),
        "webhook-signature": signature(hook.secret, str(errand.id), at, body),
    }
    await post(hook.url, headers, body)


async def post(url: str, headers: dict[str, str], body: bytes) -> None:
    """Look the name up, refuse an address inside, connect to that very address, follow nothing. Raises CannotSend."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (TLS_PORT if tls else PLAIN_PORT)
    address = await _looked_up(host, port)
    shown = f"[{address}]" if ":" in address else address
    target = httpx.URL(url).copy_with(host=shown.strip("[]"), port=port)
    named = parts.netloc
    extensions = {"sni_hostname": host} if tls else {}
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
            client.stream("POST", target, content=body, headers=headers | {"host": named}, extensions=extensions) as answer,
        ):
            status = answer.status_code  # what else it says is not read: it may be endless
    except (httpx.HTTPError, TimeoutError, OSError, ValueError) as odd:
        raise CannotSend(f"cannot be reached: {type(odd).__name__}") from odd
    if status == 410:
        raise CannotSend("answered 410: it wants no more", permanent=True)
    if not 200 <= status < 300:
        raise CannotSend(f"answered {status}")


async def _looked_up(host: str, port: int) -> str:
    """The first address of a name. One inside among them is refused for good: a name that leads both ways is a trap."""
    try:
        async with asyncio.timeout(SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as odd:
        raise CannotSend("its name leads nowhere") from odd
    addresses = [str(one[4][0]) for one in found]
    if not addresses:
        raise CannotSend("its name leads nowhere")
    if not settings().webhook_inside and any(is_inside(one) for one in addresses):
        raise CannotSend("its name leads inside this network", permanent=True)
    return addresses[0]
