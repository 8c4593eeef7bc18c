"""Activations: coming in by a code, good once, for 7 days, dead after 5 wrong tries; or saying by it whose a set-up account is."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import ConfigDict, Field
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity import hashing
from services.identity.acts import (
    DeviceKey,
    Kind,
    SessionBegun,
    begin_session,
    begun,
    end_sessions,
    end_setup_when_health_is_in,
    hand_roles_over,
    rights_changed,
    too_weak,
)
from services.identity.keys import ACTIVATION_LENGTH, digest, read_code
from services.identity.limits import CODE_EVERY, CODE_TRIES, open_locks, take
from services.identity.rules import (
    ACTIVATION_TRIES,
    NOTICE_VERSION,
    has_left,
    proves,
    spelled,
    what_weakens,
)
from services.identity.tables import Acceptance, Account, Activation, KnownDevice, KnownPerson, KnownProof, Session
from shared.auth import Caller, anyone, signed_in
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
    tries_left: int = Field(examples=[5])
    expires_at: datetime = Field(examples=["2021-08-12T08:25:00Z"])
    notice_version: str = Field(examples=[NOTICE_VERSION])


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
    device_key: DeviceKey | None = None


class LetIn(SessionBegun):
    """A new session, and the name to sign in with from now on."""

    username: str


class Saying(Body):
    """What the holder of an account adds to the code of their own sheet."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"proof": "0115", "notice_version": NOTICE_VERSION}]})
    proof: Line = Field(description="The last four digits of the phone number, or the staff number")
    notice_version: Line = Field(description="The version of the privacy notice that was read and accepted")


class SaidWho(Shown):
    """Whose the account is from now on."""

    name: str
    username: str = Field(description="The staff number; the username of the set-up signs in as well, unless the account was joined")
    joined: bool = Field(description="The person had an account: it has the roles now, and the one of the set-up is closed")


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
    person = await _proven(aside, code, caller, coming.proof, coming.notice_version)
    if reasons := what_weakens(coming.password, [person.name, spelled(person.sort_key), person.number]):
        raise too_weak("password", reasons)
    kept = await hashing.hashed(coming.password)
    async with aside() as tx:
        row, person = await _in_order(tx, code, hold=True)
        row.state, row.used_at = "used", now()
        account = await _account(tx, person, kept)
        await _accept(tx, account.id)
        await end_sessions(tx, Session.account_id == account.id)
        await tx.execute(delete(KnownDevice).where(KnownDevice.account_id == account.id))
        await open_locks(tx, account.id)
        session, *keys = await begin_session(
            tx, account.id, coming.kind, coming.device or "", caller.address, "activated", coming.device_key
        )
        await end_setup_when_health_is_in(tx)
    return LetIn(**begun(session, *keys).model_dump(), username=person.number)


@activations.post("/{code}/account")
@secret_answer
async def say_who_one_is(
    code: Annotated[str, Path(max_length=60, examples=[_EXAMPLE_CODE])], saying: Saying, caller: Annotated[Caller, signed_in], aside: Aside
) -> SaidWho:
    """Whoever came in by the set-up says who they are, by the code of their own sheet: the account and its roles are the person's then.

    A person has one account: where there is one already, it takes the roles over, and that of the set-up is closed.
    Refused 404 `no_account`, 409 `person_known`, `proof_wrong` with `tries_left`, `notice_changed`, and what GET refuses."""
    await _of_nobody(aside, caller)
    await _proven(aside, code, caller, saying.proof, saying.notice_version)
    async with aside() as tx:
        row, person = await _in_order(tx, code, hold=True)
        row.state, row.used_at = "used", now()
        account = await tx.get_one(Account, caller.account_id, with_for_update=True)
        if account.person_id is not None:  # said in two windows at once
            raise Refused("person_known")
        theirs = (await tx.scalars(select(Account).where(Account.person_id == person.id).with_for_update())).one_or_none()
        if theirs is None:
            account.person_id = person.id
        else:
            account.password_hash = None
            await end_sessions(tx, Session.account_id == account.id)
        await tx.flush()
        await hand_roles_over(tx, account.id, person.id)
        await rights_changed(tx, person_id=person.id, account_id=None, rose=theirs is not None)
        await _accept(tx, theirs.id if theirs else account.id)
    return SaidWho(name=person.name, username=person.number, joined=theirs is not None)


async def _of_nobody(aside: Apart, caller: Caller) -> None:
    async with aside() as tx:
        account = await tx.get(Account, caller.account_id) if caller.account_id else None
        if account is None:
            raise Refused("no_account", 404)
        if account.person_id is not None:
            raise Refused("person_known")


async def _proven(aside: Apart, code: str, caller: Caller, proof: str, notice_version: str) -> KnownPerson:
    """Whose code it is, once it, the proof and the accepted notice are in order."""
    _, person = await _the_code(aside, code, caller.address)
    tries_left = await _try(aside, code, proof)
    if tries_left is not None:
        raise Refused("proof_wrong", 409, {"tries_left": tries_left})
    if notice_version != NOTICE_VERSION:
        raise Refused("notice_changed", 409, {"current": NOTICE_VERSION})
    return person


async def _accept(tx: AsyncSession, account_id: UUID) -> None:
    accepted = insert(Acceptance).values(account_id=account_id, notice_version=NOTICE_VERSION, accepted_at=now())
    await tx.execute(accepted.on_conflict_do_nothing())


async def _try(aside: Apart, code: str, proof: str) -> int | None:
    """None when the proof is right; else how many tries are left. The wrong try stays counted whatever becomes of the request."""
    async with aside() as tx:
        row, person = await _in_order(tx, code, hold=True)
        known = await tx.get(KnownProof, person.id)
        if proves(proof, person.number, known.phone_last4 if known else None):
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
