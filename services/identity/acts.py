"""What several slices write: sessions begun and ended, sign-ins noted, roles handed over, codes printed, setup codes used."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.keys import ACTIVATION_LENGTH, SETUP_LENGTH, digest, new_code, new_secret, read_code
from services.identity.reads import health_can_sign_in
from services.identity.rules import (
    ACTIVATION_LIVES,
    SETUP_CODE_LIVES,
    Party,
    session_ends,
    what_forbids_setup_code,
)
from services.identity.tables import Account, Activation, KnownDevice, Role, Session, SetupCode, SignIn
from shared.clock import now, real_now
from shared.db import as_system, lock
from shared.events import PEOPLE_IN_ONE, HoldersChanged, HolderState, RolesChanged, SessionsEnded
from shared.messaging.outbox import publish
from shared.refusals import FieldError, Reason, Refused
from shared.web import Shown

Kind = Literal["desk", "phone"]
Place = Literal["administrator", "health"]  # whom a setup code is for
DeviceKey = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{43}$",
        description="What this browser was given before: wrong passwords from elsewhere do not lock it",
    ),
]


class SessionBegun(Shown):
    """A new session; its secret is shown this once."""

    secret: str = Field(
        examples=["wCkGf0b8uUqPz3o1y7Jd2sXhT5aRvNn4eLmQ9iBxE6A"], description="Goes into the cookie; sent back as Muster-Session"
    )
    device_key: str = Field(
        examples=["Zr2m8QvT0sLd6yWkXe4uPn1bHf9jCg3aVt7oJi5xRqE"],
        description="Stays in the browser when the session ends, and is sent with the next sign-in",
    )
    session_id: UUID
    account_id: UUID
    kind: Kind
    expires_at: datetime = Field(
        examples=["2021-08-05T20:25:00Z"], description="In the machine's time, as cookies are; a desk session may end before, by idling"
    )


def begun(row: Session, secret: str, device_key: str) -> SessionBegun:
    """The answer to whoever has just come in."""
    kind: Kind = "phone" if row.kind == "phone" else "desk"
    ids = {"session_id": row.id, "account_id": row.account_id}
    return SessionBegun(secret=secret, device_key=device_key, kind=kind, expires_at=row.expires_at, **ids)


def note_sign_in(
    tx: AsyncSession, outcome: str, *, account_id: UUID | None, kind: str, device: str, address: str, session_id: UUID | None = None
) -> None:
    """Sign-ins are on record, those that fail too."""
    row = SignIn(at=now(), account_id=account_id, outcome=outcome, kind=kind, device=device, address=address, session_id=session_id)
    tx.add(row)


async def begin_session(
    tx: AsyncSession, account_id: UUID, kind: str, device: str, address: str, outcome: str, device_key: str | None = None
) -> tuple[Session, str, str]:
    """A new session with a new secret, and the sign-in on record; the secret is given once and kept hashed.

    From now on the device is known. A key that it has stays: at a desk that several share, it is known for each of them."""
    secret, at = new_secret(), real_now()
    row = Session(account_id=account_id, secret_hash=digest(secret), kind=kind, device=device, address=address)
    row.signed_in_at, row.last_seen_at, row.expires_at = now(), at, session_ends(kind, at)
    tx.add(row)
    await tx.flush()
    note_sign_in(tx, outcome, account_id=account_id, kind=kind, device=device, address=address, session_id=row.id)
    key = device_key or new_secret()
    known = insert(KnownDevice).values(key_hash=digest(key), account_id=account_id, used_at=at)
    await tx.execute(known.on_conflict_do_update(index_elements=["key_hash", "account_id"], set_={"used_at": at}))
    return row, secret, key


async def end_sessions(tx: AsyncSession, *which: ColumnElement[bool]) -> int:
    """End the open ones of these sessions, and tell it, so that nobody goes on with a token of theirs."""
    ended = update(Session).where(Session.ended_at.is_(None), *which).values(ended_at=real_now()).returning(Session.id)
    ids = list((await tx.execute(ended.execution_options(synchronize_session=False))).scalars())
    for start in range(0, len(ids), PEOPLE_IN_ONE):
        publish(tx, SessionsEnded(session_ids=ids[start : start + PEOPLE_IN_ONE]))
    return len(ids)


async def rights_changed(tx: AsyncSession, *, person_id: UUID | None, account_id: UUID | None, rose: bool) -> None:
    """Tell that roles changed, and what the person holds now. Where rights rose the sessions end: whoever gained them signs in anew,
    with a new session id."""
    async with as_system(tx):
        mine = Account.id == account_id if account_id else Account.person_id == person_id
        found = (await tx.execute(select(Account.id, Account.person_id).where(mine))).all()
        if holder := person_id or next((one.person_id for one in found if one.person_id), None):
            await tell_holder(tx, holder)
        ids = [one.id for one in found]
        if not ids:
            return
        publish(tx, RolesChanged(account_ids=ids))
        if rose:
            await end_sessions(tx, Session.account_id.in_(ids))


async def tell_holder(tx: AsyncSession, person_id: UUID) -> None:
    """Tell which given roles a person holds now. Rows of roles are only added and only go forward, so what they add up to is a version."""
    await lock(tx, "holder", person_id)  # two roles given in one instant: whoever comes second sees both
    accounts = select(Account.id).where(Account.person_id == person_id).scalar_subquery()
    asked = select(Role.role, Role.state).where(or_(Role.person_id == person_id, Role.account_id.in_(accounts)))
    rows = (await tx.execute(asked)).all()
    version = sum({"given": 1, "ended": 2}.get(row.state, 0) for row in rows)
    roles = sorted({row.role for row in rows if row.state == "given"})
    publish(tx, HoldersChanged(holders=[HolderState(person_id=person_id, roles=roles, version=version)]))


async def hand_roles_over(tx: AsyncSession, account_id: UUID, person_id: UUID) -> None:
    """The roles of an account that belonged to nobody are the person's; one that the person has already, or waits for, is not had twice."""
    is_open = Role.state.in_(("waiting", "given"))
    async with as_system(tx):
        theirs = {row.role: row for row in await tx.scalars(select(Role).where(Role.person_id == person_id, is_open).with_for_update())}
        for own in (await tx.scalars(select(Role).where(Role.account_id == account_id, is_open).with_for_update())).all():
            same = theirs.get(own.role)
            over = own if same and (same.state == "given" or own.state == "waiting") else same
            if over is not None:
                over.state, over.ended_by, over.ended_at = "ended", account_id, now()
                await tx.flush()  # before the next is handed over: one is open at a time
            if over is not own:
                own.person_id, own.account_id = person_id, None
        await tx.flush()


async def print_codes(tx: AsyncSession, activations: Sequence[Activation]) -> dict[UUID, str]:
    """A fresh code for each of these activations, by person; the ones before end. A code is given once and kept hashed."""
    if not activations:
        return {}
    people = [one.person_id for one in activations]
    before = update(Activation).where(Activation.person_id.in_(people), Activation.state == "open").values(state="ended")
    await tx.execute(before.execution_options(synchronize_session=False))
    codes = {}
    for one in activations:
        codes[one.person_id] = code = new_code(ACTIVATION_LENGTH)
        one.state, one.code_hash, one.expires_at = "open", digest(code), now() + ACTIVATION_LIVES
    return codes


async def print_setup_code(
    tx: AsyncSession, code: str | None = None, lives: timedelta = SETUP_CODE_LIVES, place: Place | Literal["any"] = "any"
) -> str:
    """A fresh setup code; those before it end for its place. Only the operator calls this, at the machine; a demo's is for any place."""
    code = code or new_code(SETUP_LENGTH)
    await end_setup_codes(tx, *(() if place == "any" else (SetupCode.place == place,)))
    at = real_now()
    row = insert(SetupCode).values(
        code_hash=digest(read_code(code, SETUP_LENGTH) or code), place=place, printed_at=at, expires_at=at + lives, used_for=[]
    )
    again = {"printed_at": at, "expires_at": at + lives, "ended_at": None}  # a demo that starts again brings the same code again
    await tx.execute(row.on_conflict_do_update(index_elements=["code_hash"], set_=again))
    return code


async def end_setup_codes(tx: AsyncSession, *which: ColumnElement[bool]) -> None:
    """None of these setup codes that were printed so far does anything any more."""
    await tx.execute(update(SetupCode).where(SetupCode.ended_at.is_(None), *which).values(ended_at=real_now()))


async def the_setup_code(tx: AsyncSession, typed: str, place: Place) -> SetupCode | None:
    """The setup code in order that was typed, its row held; None when there is none such, or when it is for the other place."""
    code = read_code(typed, SETUP_LENGTH) or typed
    in_order = (SetupCode.code_hash == digest(code), SetupCode.ended_at.is_(None), SetupCode.expires_at > real_now())
    here = SetupCode.place.in_((place, "any"))
    async with as_system(tx):
        return (await tx.scalars(select(SetupCode).where(*in_order, here).with_for_update())).one_or_none()


async def second_person_by_setup_code(tx: AsyncSession, typed: str, beneficiary: Party, used_for: str) -> None:
    """Let the setup code stand for the second person, on record. Refused with the rule's reason."""
    row = await the_setup_code(tx, typed, "health")
    if reasons := what_forbids_setup_code(row is not None, await health_can_sign_in(tx), beneficiary):
        raise Refused(reasons[0].code, 409, reasons[0].params)
    assert row is not None
    async with as_system(tx):
        row.used_for = [*row.used_for, used_for]
        await tx.flush()


async def end_setup_when_health_is_in(tx: AsyncSession) -> None:
    """Once somebody who holds health can sign in, the set-up is over: health records' code ends, and a new one only the operator prints."""
    if await health_can_sign_in(tx):
        async with as_system(tx):
            await end_setup_codes(tx, SetupCode.place != "administrator")


def too_weak(field: str, reasons: Sequence[Reason]) -> Refused:
    """The words beside the password field."""
    return Refused("invalid", 422, errors=[FieldError(field, one.code, one.params) for one in reasons])
