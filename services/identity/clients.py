"""API clients: external systems with scopes, keys that end, tokens for keys. Health scopes wait for a second person, who gets the key."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Header, Path, Request
from pydantic import ConfigDict, Field
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.keys import digest, new_api_key, new_key_id, read_api_key
from services.identity.limits import CODE_EVERY, CODE_TRIES, take
from services.identity.reads import names_of, parties_of, party, party_of_account
from services.identity.rules import OPEN_KEYS, Party, scopes_wait, what_forbids_deciding
from services.identity.tables import Client, ClientKey
from shared.auth import TOKEN_SECONDS, Caller, Door, mint, require
from shared.clock import now, real_now, today
from shared.db import Aside, Read, Tx
from shared.once import secret_answer
from shared.policy import HEALTH_ROLES, SCOPES
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Listed, PageNo, PageSize, Shown, Version

clients = Slice(prefix="/clients", tags=["clients"])

Scope = Literal[
    "people:read",
    "people:write",
    "vaccination:read",
    "vaccination:write",
    "coverage:read",
    "duty:read",
    "duty:write",
    "dispatch:read",
    "dispatch:write",
    "notices:read",
    "notices:write",
]
ClientId = Annotated[UUID, Path(examples=[example_id("client")])]
LONGEST_DAYS = 730


class ClientWish(Body):
    """An external system that is to be let in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "区卫健接种平台", "scopes": ["vaccination:write"], "expires_on": "2022-07-31"}]}
    )
    name: Line
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    expires_on: date = Field(description=f"The last day on which it may come in; at most {LONGEST_DAYS} days ahead")


class KeyWish(Body):
    """A key that is to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expires_on": "2022-01-31"}]})
    expires_on: date | None = Field(None, description="The key's last day; the client's when nothing is said")


class KeyShown(Shown):
    """A key, without its secret."""

    id: str = Field(examples=["7f3a90c2d1"])
    state: Literal["waiting", "open", "ended", "expired"] = Field(examples=["open"])
    made_by: str | None
    made_at: datetime
    expires_on: date
    last_used_at: datetime | None


class KeyMade(KeyShown):
    """A key with the whole of it where it was made just now, which is shown this once."""

    key: str | None = Field(
        examples=["muster_7f3a90c2d1_wCkGf0b8uUqPz3o1y7Jd2sXhT5aRvNn4eLmQ9iBxE6A"],
        description="Nothing while the key waits: it is made at the approval and shown to the second person",
    )


class ClientShown(Shown):
    """An external system; `waiting`: it, or a key of it, waits for a second person."""

    id: UUID
    name: str = Field(examples=["区卫健接种平台"])
    scopes: list[Scope] = Field(examples=[["vaccination:write"]])
    expires_on: date
    state: Literal["waiting", "open", "refused", "ended", "expired"] = Field(examples=["open"])
    waiting: bool
    asked_by: str | None
    asked_at: datetime
    decided_by: str | None
    keys: Sequence[KeyShown]
    may_decide: bool
    version: int


class ClientDecided(ClientShown):
    """An external system after the decision, with the keys that the approval made."""

    keys: Sequence[KeyMade]


class ClientVerdict(Body):
    """The second person's answer, to what was read: a key added meanwhile is not agreed to unseen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"verdict": "approved", "version": 1}]})
    verdict: Literal["approved", "refused"]
    version: Version


class ClientToken(Shown):
    """A caller token for an external system."""

    token: str = Field(examples=["eyJhbGciOiJFZERTQSJ9.eyJraW5kIjoiY2xpZW50In0.c2lnbmF0dXJl"])
    expires_at: datetime
    client_id: UUID
    scopes: list[Scope] = Field(examples=[["vaccination:write"]])


@clients.get("")
async def list_clients(
    caller: Annotated[Caller, require("client.read")], read: Read, page: PageNo = 1, page_size: PageSize = 50
) -> Listed[ClientShown]:
    """API clients with their keys, those that wait for a second person first."""
    total = await read.scalar(select(func.count()).select_from(Client))
    wanted = (
        select(Client)
        .order_by(Client.state != "waiting", func.lower(Client.name), Client.id)
        .offset((page - 1) * page_size)
        .limit(page_size)
    )
    rows = (await read.scalars(wanted)).all()
    return Listed(items=await _shown(read, caller, rows), total=total or 0, page=page, page_size=page_size)


@clients.post("", status_code=201)
async def make_client(wish: ClientWish, caller: Annotated[Caller, require("client.change")], tx: Tx) -> ClientShown:
    """Make a client. With a scope that opens health records, or `people:write`, it waits for a second person who holds health.

    Refused 422 `in_the_past`, `too_far_ahead`; 409 `name_taken`."""
    _judge_day("expires_on", wish.expires_on, today() + timedelta(days=LONGEST_DAYS))
    row = Client(name=wish.name, scopes=sorted(set(wish.scopes)), expires_on=wish.expires_on, asked_by=caller.id, asked_at=now(), version=1)
    row.state = "waiting" if scopes_wait(wish.scopes) else "open"
    tx.add(row)
    await tx.flush()
    return (await _shown(tx, caller, [row]))[0]


async def _bearer_of_a_key(request: Request) -> Caller:
    """Authorization holds an API key here, which would be refused if it were read as a caller token."""
    return Caller(kind="nobody", address=request.headers.get("muster-client-address", "")[:64])


_bearer_of_a_key.door = Door(open_why="the API key is the proof")  # type: ignore[attr-defined]


@clients.post("/token")
@secret_answer
async def give_client_token(
    caller: Annotated[Caller, Depends(_bearer_of_a_key, scope="function")],
    aside: Aside,
    authorization: Annotated[str, Header(max_length=300, description="Bearer and the key", examples=["Bearer muster_0123456789_key"])] = "",
) -> ClientToken:
    """Exchange a key for a caller token. Refused 401 `not_signed_in`: no such key, or it or its client waits, ended, or is past its day."""
    key = authorization.partition(" ")[2].strip()
    key_id = read_api_key(key)
    async with aside() as tx:
        if key_id is None:
            await take(tx, "keys from", caller.address, tries=CODE_TRIES, every=CODE_EVERY)
    if key_id is None:
        raise Refused("not_signed_in", 401)
    async with aside() as tx:
        joined = select(ClientKey, Client).join(Client, Client.id == ClientKey.client_id).where(ClientKey.id == key_id)
        in_order = (ClientKey.secret_hash == digest(key), ClientKey.state == "open", Client.state == "open")
        on_time = (ClientKey.expires_on >= today(), Client.expires_on >= today())
        found = (await tx.execute(joined.where(*in_order, *on_time))).one_or_none()
        if found is not None:
            await tx.execute(
                update(ClientKey).where(ClientKey.id == key_id).values(last_used_at=now()).execution_options(synchronize_session=False)
            )
        else:
            await take(tx, "keys from", caller.address, tries=CODE_TRIES, every=CODE_EVERY)
    if found is None:
        raise Refused("not_signed_in", 401)
    client: Client = found.Client
    speaks_of = Caller(kind="client", client_id=client.id, name=client.name, scopes=frozenset(client.scopes))
    expires_at = real_now() + timedelta(seconds=TOKEN_SECONDS)
    return ClientToken(token=mint(speaks_of), expires_at=expires_at, client_id=client.id, scopes=client.scopes)  # type: ignore[arg-type]


@clients.post("/{client_id}/keys", status_code=201)
@secret_answer
async def make_key(client_id: ClientId, wish: KeyWish, caller: Annotated[Caller, require("client.change")], tx: Tx) -> KeyMade:
    """Make a key; two may be open at once, so that one is exchanged without a pause.

    Where a scope opens health records, and for `people:write`, the key waits without a secret, which the second person's approval makes and
    shows to them: whoever asked never holds it.
    Refused 404 `no_client`, 409 `client_ended`, `two_keys_already`; 422 `in_the_past`, `too_far_ahead`."""
    row = await _held(tx, client_id)
    expires_on = wish.expires_on or row.expires_on
    _judge_day("expires_on", expires_on, row.expires_on)
    counts = (ClientKey.client_id == row.id, ClientKey.state.in_(("waiting", "open")), ClientKey.expires_on >= today())
    if (await tx.scalar(select(func.count()).select_from(ClientKey).where(*counts)) or 0) >= OPEN_KEYS:
        raise Refused("two_keys_already", 409, {"max": OPEN_KEYS})
    key = ClientKey(id=new_key_id(), client_id=row.id, state="waiting", made_by=caller.id, made_at=now(), expires_on=expires_on)
    whole = None if scopes_wait(row.scopes) else _opened(key)
    row.version += 1
    tx.add(key)
    await tx.flush()
    return KeyMade(**_key_shown(key, caller.name).model_dump(), key=whole)


def _opened(key: ClientKey) -> str:
    """The key opens: its secret is made now, given this once, and kept hashed."""
    whole = new_api_key(key.id)
    key.state, key.secret_hash = "open", digest(whole)
    return whole


@clients.delete("/{client_id}/keys/{key_id}", status_code=204)
async def end_key(
    client_id: ClientId,
    key_id: Annotated[str, Path(max_length=20, examples=["0123456789"])],
    caller: Annotated[Caller, require("client.change")],
    tx: Tx,
) -> None:
    """End a key; tokens it was exchanged for live on for 15 minutes at most. Refused 404 `no_client`, `no_key`."""
    row = await _held(tx, client_id, open_only=False)
    key = (await tx.scalars(select(ClientKey).where(ClientKey.id == key_id, ClientKey.client_id == row.id))).one_or_none()
    if key is None:
        raise Refused("no_key", 404)
    key.state = "ended"
    row.version += 1


@clients.post("/{client_id}/approval")
@secret_answer
async def decide_client(
    client_id: ClientId, verdict: ClientVerdict, caller: Annotated[Caller, require("client.approve")], tx: Tx
) -> ClientDecided:
    """Be the second person for a client with health scopes, and for its keys that wait: one who holds health and made neither.

    The keys are made now and shown this once, in `keys`, to whoever approves: they hand them over.
    Refused 404 `no_client`, 409 `decided_already`, `second_person_needed`, `say_who_you_are`, `asker_without_person`,
    `changed_meanwhile` with `current`."""
    row = await _held(tx, client_id, open_only=False)
    keys = (await tx.scalars(select(ClientKey).where(ClientKey.client_id == row.id, ClientKey.state == "waiting"))).all()
    if row.state not in ("waiting", "open") or (row.state == "open" and not keys):
        raise Refused("decided_already", 409, {"state": row.state})
    if row.version != verdict.version:
        raise Refused("changed_meanwhile", 409, {"current": row.version})
    for asked_by in {row.asked_by if row.state == "waiting" else None, *(key.made_by for key in keys)} - {None}:
        if reasons := what_forbids_deciding(party(caller), await party_of_account(tx, asked_by), Party(), HEALTH_ROLES):
            raise Refused(reasons[0].code, 409, reasons[0].params)
    approved = verdict.verdict == "approved"
    made: dict[str, str] = {}
    for key in keys:
        if approved:
            key.approved_by, made[key.id] = caller.id, _opened(key)
        else:
            key.state = "ended"
    if row.state == "waiting":
        row.state, row.decided_by, row.decided_at = ("open" if approved else "refused"), caller.id, now()
    row.version += 1
    await tx.flush()
    shown = (await _shown(tx, caller, [row]))[0]
    given = [KeyMade(**key.model_dump(), key=made.get(key.id)) for key in shown.keys]
    return ClientDecided(**shown.model_dump(exclude={"keys"}), keys=given)


@clients.delete("/{client_id}", status_code=204)
async def end_client(client_id: ClientId, caller: Annotated[Caller, require("client.change")], tx: Tx) -> None:
    """End a client and its keys. Refused 404 `no_client`."""
    row = await _held(tx, client_id, open_only=False)
    row.state, row.version = "ended", row.version + 1
    await tx.execute(
        update(ClientKey).where(ClientKey.client_id == row.id).values(state="ended").execution_options(synchronize_session=False)
    )


async def _held(tx: AsyncSession, client_id: UUID, *, open_only: bool = True) -> Client:
    row = await tx.get(Client, client_id, with_for_update=True)
    if row is None:
        raise Refused("no_client", 404)
    if open_only and (row.state not in ("waiting", "open") or row.expires_on < today()):
        raise Refused("client_ended", 409, {"state": row.state})
    return row


def _judge_day(field: str, day: date, latest: date) -> None:
    if day < today():
        raise wrong(field, "in_the_past")
    if day > latest:
        raise wrong(field, "too_far_ahead", max=latest.isoformat())


def _key_shown(key: ClientKey, made_by: str | None) -> KeyShown:
    state = "expired" if key.state != "ended" and key.expires_on < today() else key.state
    return KeyShown(
        id=key.id,
        state=state,  # type: ignore[arg-type]  # the table's check holds the same words
        made_by=made_by,
        made_at=key.made_at,
        expires_on=key.expires_on,
        last_used_at=key.last_used_at,
    )


async def _shown(tx: AsyncSession, caller: Caller, rows: Sequence[Client]) -> list[ClientShown]:
    keys = (await tx.scalars(select(ClientKey).where(ClientKey.client_id.in_([row.id for row in rows])).order_by(ClientKey.made_at))).all()
    names = await names_of(tx, [*(row.asked_by for row in rows), *(row.decided_by for row in rows), *(key.made_by for key in keys)])
    asked = await parties_of(tx, [*(row.asked_by for row in rows), *(key.made_by for key in keys)])
    me, shown = party(caller), []
    for row in rows:
        own = [key for key in keys if key.client_id == row.id]
        waiting = row.state == "waiting" or (row.state == "open" and any(key.state == "waiting" for key in own))
        askers = {row.asked_by, *(key.made_by for key in own if key.state == "waiting")}
        may = waiting and not any(what_forbids_deciding(me, asked.get(one, Party()), Party(), HEALTH_ROLES) for one in askers)
        state = "expired" if row.state in ("waiting", "open") and row.expires_on < today() else row.state
        shown.append(
            ClientShown(
                id=row.id,
                name=row.name,
                scopes=row.scopes,  # type: ignore[arg-type]  # only known scopes are written
                expires_on=row.expires_on,
                state=state,  # type: ignore[arg-type]
                waiting=waiting,
                asked_by=names.get(row.asked_by),
                asked_at=row.asked_at,
                decided_by=names.get(row.decided_by) if row.decided_by else None,
                keys=[_key_shown(key, names.get(key.made_by)) for key in own],
                may_decide=may,
                version=row.version,
            )
        )
    return shown
