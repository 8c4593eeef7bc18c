"""Sessions: signing in, the token that the gateway fetches for each of them, and one's own devices."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Header, Path
from pydantic import ConfigDict, Field
from sqlalchemy import or_, select, update

from services.identity.acts import DeviceKey, Kind, SessionBegun, begin_session, begun, end_sessions
from services.identity.keys import digest
from services.identity.proving import Attempt, prove_password
from services.identity.reads import PersonShown, rights_of
from services.identity.rules import DESK_IDLES
from services.identity.tables import Session
from shared.auth import TOKEN_SECONDS, Caller, anyone, mint, signed_in
from shared.clock import now, real_now
from shared.db import Aside, Read, Tx
from shared.once import secret_answer
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Secret, Shown

sessions = Slice(prefix="/sessions", tags=["sessions"])


class SignInWish(Body):
    """A name and a password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "2021001", "password": "four hills and a river", "kind": "desk", "device": "Firefox"}]}
    )
    username: Line = Field(description="The staff number; the administrator of the set-up has a username")
    password: Secret
    kind: Kind = Field("desk", description="A desk session ends after 30 idle minutes, a phone's after 30 days")
    device: Line | None = None
    device_key: DeviceKey | None = None


class TokenGiven(Shown):
    """A caller token and whom it speaks of."""

    token: str = Field(examples=["eyJhbGciOiJFZERTQSJ9.eyJraW5kIjoicGVyc29uIn0.c2lnbmF0dXJl"])
    expires_at: datetime
    person: PersonShown | None
    name: str
    roles: list[str]
    officer_until: datetime | None = Field(examples=[None])
    account_id: UUID
    session_id: UUID
    kind: Kind


class SignedInDevice(Shown):
    """One device that is signed in."""

    id: UUID
    kind: Kind
    device: str = Field(examples=["Firefox"])
    signed_in_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool = Field(examples=[True])


class Devices(Shown):
    """One's own devices, the last used first."""

    items: list[SignedInDevice]


@sessions.post("", status_code=201)
@secret_answer
async def sign_in(wish: SignInWish, caller: Annotated[Caller, anyone("whoever signs in has no session yet")], aside: Aside) -> SessionBegun:
    """Sign in. Wrong passwords from elsewhere do not lock a browser that signed in before.

    Refused 401 `wrong_credentials` (also: no such name), 403 `left`, 429 `locked` or `too_many` with the seconds to wait."""
    attempt = Attempt(wish.username, wish.kind, wish.device or "", caller.address, wish.device_key)
    account_id = await prove_password(aside, attempt, wish.password)
    async with aside() as tx:
        return begun(*await begin_session(tx, account_id, wish.kind, attempt.device, caller.address, "in", wish.device_key))


@sessions.post("/token")
@secret_answer
async def give_token(
    caller: Annotated[Caller, anyone("the session's secret is the proof")],
    aside: Aside,
    muster_session: Annotated[
        str, Header(max_length=200, description="The session's secret", examples=["Zm91ciBoaWxscyBhbmQgYSByaXZlcg"])
    ] = "",
    muster_background: Annotated[
        bool, Header(description="Asked for by a page that nobody touched: does not keep a desk session from idling")
    ] = False,
) -> TokenGiven:
    """A token, with the rights of this moment. Refused 401 `not_signed_in`: the session ended, idled, or the person left."""
    at = real_now()
    alive = or_(Session.kind == "phone", Session.last_seen_at > at - DESK_IDLES)
    mine = (Session.secret_hash == digest(muster_session), Session.ended_at.is_(None), Session.expires_at > at, alive)
    columns = (Session.id, Session.account_id, Session.kind)
    async with aside() as tx:
        touch = update(Session).where(*mine).values(last_seen_at=at).returning(*columns).execution_options(synchronize_session=False)
        found = (await tx.execute(select(*columns).where(*mine) if muster_background else touch)).one_or_none()
        rights = await rights_of(tx, found.account_id) if found else None
    if found is None or rights is None or rights.left:
        raise Refused("not_signed_in", 401)
    person_id = rights.person.id if rights.person else None
    speaks_of = Caller(
        kind="person",
        account_id=rights.account_id,
        person_id=person_id,
        session_id=found.id,
        name=rights.name,
        roles=rights.roles,
        departments=rights.departments,
        reported=rights.reported,
        officer_until=rights.officer_until,
    )
    return TokenGiven(
        token=mint(speaks_of),
        expires_at=at + timedelta(seconds=TOKEN_SECONDS),
        person=rights.person,
        name=rights.name,
        roles=sorted(rights.roles),
        officer_until=rights.officer_until,
        account_id=rights.account_id,
        session_id=found.id,
        kind=found.kind,
    )


@sessions.get("")
async def list_devices(caller: Annotated[Caller, signed_in], read: Read) -> Devices:
    """One's own devices that are signed in."""
    at = real_now()
    alive = or_(Session.kind == "phone", Session.last_seen_at > at - DESK_IDLES)
    own = (Session.account_id == caller.account_id, Session.ended_at.is_(None), Session.expires_at > at, alive)
    moved = now() - at  # the demo's clock may stand elsewhere than the machine's, by which sessions live
    rows = await read.scalars(select(Session).where(*own).order_by(Session.last_seen_at.desc()).limit(100))
    return Devices(
        items=[
            SignedInDevice(
                id=row.id,
                kind="phone" if row.kind == "phone" else "desk",
                device=row.device,
                signed_in_at=row.signed_in_at,
                last_seen_at=row.last_seen_at + moved,
                expires_at=row.expires_at + moved,
                current=row.id == caller.session_id,
            )
            for row in rows
        ]
    )


@sessions.delete("/{session_id}", status_code=204)
async def end_session(
    session_id: Annotated[UUID, Path(examples=[example_id("session")])], caller: Annotated[Caller, signed_in], tx: Tx
) -> None:
    """End one of one's own sessions: sign out here, or on a device that was lost. Refused 404 `no_session` (also: not yours)."""
    if caller.account_id is None or not await end_sessions(tx, Session.id == session_id, Session.account_id == caller.account_id):
        raise Refused("no_session", 404)
