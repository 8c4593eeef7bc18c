"""Activations: coming in by a code, which is good once, for 7 days, and dead after 5 wrong tries."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity import hashing
from services.identity.acts import (
    Kind,
    SessionBegun,
    begin_session,
    begun,
    end_sessions,
    end_setup_when_health_is_in,
    too_weak,
)
from services.identity.keys import ACTIVATION_LENGTH, digest, read_code
from services.identity.limits import CODE_EVERY, CODE_TRIES, forget_wrong, lockout_key, take
from services.identity.rules import (
    ACTIVATION_TRIES,
    NOTICE_VERSION,
    has_left,
    proves,
    spelled,
    what_weakens,
)
from services.identity.tables import Acceptance, Account, Activation, KnownPerson, Session
from shared.auth import Caller, anyone
from shared.clock import now, today
from shared.db import Apart, Aside
from shared.once import secret_answer
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Body, Line, Secret, Shown

activations = Slice(prefix="/activations", tags=["activations"])

_EXAMPLE_CODE = "7K3M9-QXT2W"


class CodeStands(Shown):
    """What the page behind the QR code needs before it asks for anything."""

    name: str
    tries_left: int
    expires_at: datetime
    notice_version: str


class Coming(Body):
    """What the person adds to the code."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "proof": "0115",
                    "password": "four hills and a river",
                    "notice_version": NOTICE_VERSION,
                    "kind": "phone",
                    "device": "Safari",
                }
            ]
        }
    )
    proof: Line = Field(description="The last four digits of the phone number, or the staff number")
    password: Secret
    notice_version: Line = Field(description="The version of the privacy notice that was read and accepted")
    kind: Kind = "phone"
    device: Line | None = None


class LetIn(SessionBegun):
    """A new session, and the name to sign in with from now on."""

    username: str


@activations.get("/{code}")
async def show_activation(
    code: Annotated[str, Path(max_length=60, examples=[_EXAMPLE_CODE])],
    caller: Annotated[Caller, anyone("whoever holds a sheet has no account yet")],
    aside: Aside,
) -> CodeStands:
    """Is this code in order, and whose is it? Refused 404 `no_activation`, 409 `code_used`, `code_ended`, `code_expired`, `code_dead`."""
    row, person = await _the_code(aside, code, caller.address)
    assert row.expires_at is not None
    tries_left = ACTIVATION_TRIES - row.wrong_count
    return CodeStands(name=person.name, tries_left=tries_left, expires_at=row.expires_at, notice_version=NOTICE_VERSION)


async def _the_code(aside: Apart, typed: str, address: str) -> tuple[Activation, KnownPerson]:
    async with aside() as tx:
        await take(tx, "activation from", address, tries=CODE_TRIES, every=CODE_EVERY)
    async with aside() as tx:
        return await _in_order(tx, typed, hold=False)


async def _in_order(tx: AsyncSession, typed: str, *, hold: bool) -> tuple[Activation, KnownPerson]:
    """The activation of a code that still works, and its person; with `hold`, nobody else tries it meanwhile."""
    code = read_code(typed, ACTIVATION_LENGTH)
    wanted = select(Activation).where(Activation.code_hash == digest(code or ""))
    row = (await tx.scalars(wanted.with_for_update() if hold else wanted)).one_or_none()
    person = await tx.get(KnownPerson, row.person_id) if row else None
    if row is None or person is None:
        raise Refused("no_activation", 404)
    if row.state != "open":
        raise Refused("code_used" if row.state == "used" else "code_ended")
    if row.wrong_count >= ACTIVATION_TRIES:
        raise Refused("code_dead")
    if row.expires_at is None or row.expires_at <= now():
        raise Refused("code_expired")
    if has_left(person.left_on, today()):
        raise Refused("left")
    return row, person


@activations.post("/{code}", status_code=201)
@secret_answer
async def come_in(
    code: Annotated[str, Path(max_length=60, examples=[_EXAMPLE_CODE])],
    coming: Coming,
    caller: Annotated[Caller, anyone("whoever holds a sheet has no account yet")],
    aside: Aside,
) -> LetIn:
    """Come in: the code, a proof, the privacy notice accepted, a password. Sessions that the person had before end.

    Refused 409 `proof_wrong` with `tries_left`, `notice_changed`, and what GET refuses; 422 what weakens the password."""
    row, person = await _the_code(aside, code, caller.address)
    tries_left = await _try(aside, code, coming.proof)
    if tries_left is not None:
        raise Refused("proof_wrong", 409, {"tries_left": tries_left})
    if coming.notice_version != NOTICE_VERSION:
        raise Refused("notice_changed", 409, {"current": NOTICE_VERSION})
    if reasons := what_weakens(coming.password, [person.name, spelled(person.sort_key), person.number]):
        raise too_weak("password", reasons)
    kept = await hashing.hashed(coming.password)
    async with aside() as tx:
        row, person = await _in_order(tx, code, hold=True)
        row.state, row.used_at = "used", now()
        account = await _account(tx, person, kept)
        accepted = insert(Acceptance).values(account_id=account.id, notice_version=NOTICE_VERSION, accepted_at=now())
        await tx.execute(accepted.on_conflict_do_nothing())
        await end_sessions(tx, Session.account_id == account.id)
        await forget_wrong(tx, lockout_key(account.id, ""))
        session, secret = await begin_session(tx, account.id, coming.kind, coming.device or "", caller.address, "activated")
        await end_setup_when_health_is_in(tx)
    return LetIn(**begun(session, secret).model_dump(), username=person.number)


async def _try(aside: Apart, code: str, proof: str) -> int | None:
    """None when the proof is right; else how many tries are left. The wrong try stays counted whatever becomes of the request."""
    async with aside() as tx:
        row, person = await _in_order(tx, code, hold=True)
        if proves(proof, person.number, person.phone_last4):
            return None
        row.wrong_count += 1
        return ACTIVATION_TRIES - row.wrong_count


async def _account(tx: AsyncSession, person: KnownPerson, kept: str) -> Account:
    account = (await tx.scalars(select(Account).where(Account.person_id == person.id).with_for_update())).one_or_none()
    if account is None:
        account = Account(person_id=person.id, name=person.name, created_at=now())
        tx.add(account)
    account.password_hash, account.password_changed_at = kept, now()
    await tx.flush()
    return account
