"""The set-up: with the codes on the operator's console come the first administrator and the first who keeps health records, two people."""

from typing import Annotated

from pydantic import ConfigDict, Field
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity import hashing
from services.identity.acts import (
    Place,
    SessionBegun,
    begin_session,
    begun,
    end_setup_when_health_is_in,
    second_person_by_setup_code,
    the_setup_code,
    too_weak,
)
from services.identity.limits import CODE_EVERY, CODE_TRIES, take
from services.identity.reads import health_can_sign_in
from services.identity.rules import Party, what_weakens
from services.identity.tables import Account, KnownPerson, Role, System
from shared.auth import Caller, anyone
from shared.clock import now, real_now
from shared.db import Apart, Aside
from shared.once import secret_answer
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.settings import settings
from shared.web import Body, Line, Secret, Shown

setup = Slice(prefix="/setup", tags=["set-up"])

Username = Annotated[
    str,
    Field(min_length=3, max_length=40, pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", description="Letters first, so that it is nobody's number"),
]


class SetupStands(Shown):
    """What the first page asks."""

    needed: bool = Field(description="There is no administrator yet")
    health_needed: bool = Field(description="Nobody who can sign in holds health yet: the setup code stands for the second person")
    demo: bool


class SetupWish(Body):
    """The code from the console and the account to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"code": "7K3M9-QXT2W-PD5FA", "name": "林照野", "username": "administrator", "password": "four hills and a river"}]
        }
    )
    code: Secret = Field(description="Stands on the operator's console: one for the administrator, one for whoever keeps health records")
    name: Line
    username: Username
    password: Secret


@setup.get("")
async def show_setup(
    caller: Annotated[Caller, anyone("the first page must know whether to ask for the setup code")], aside: Aside
) -> SetupStands:
    """Is the set-up still to be done, and is this a demo?"""
    async with aside() as tx:
        done = await tx.scalar(select(System.set_up_at))
        return SetupStands(needed=done is None, health_needed=not await health_can_sign_in(tx), demo=settings().demo)


@setup.post("", status_code=201)
@secret_answer
async def make_administrator(
    wish: SetupWish, caller: Annotated[Caller, anyone("the setup code on the operator's console is the proof")], aside: Aside
) -> SessionBegun:
    """Make an administrator; the code is the operator's word, and ends with it.

    Refused 409 `setup_code_wrong`; 422 `username_taken`, or a weak password."""
    kept = await _judged(aside, wish, caller.address, "administrator")
    async with aside() as tx:
        code = await the_setup_code(tx, wish.code, "administrator")
        if code is None:
            raise Refused("setup_code_wrong")
        code.used_for = [*code.used_for, "administrator"]
        code.ended_at = None if code.place == "any" else real_now()
        account = await _account(tx, wish, kept, "administrator")
        system = await tx.get(System, 1)
        if system is not None and system.set_up_at is None:
            system.set_up_at = now()
        await end_setup_when_health_is_in(tx)
        return begun(*await begin_session(tx, account.id, "desk", "", caller.address, "in"))


@setup.post("/health", status_code=201)
@secret_answer
async def make_first_health_keeper(
    wish: SetupWish, caller: Annotated[Caller, anyone("the setup code on the operator's console is the proof")], aside: Aside
) -> SessionBegun:
    """Make the account of the first who keeps health records, who choose their own password. The administrator's code does not do here.

    Refused 409 `setup_code_wrong`, `second_person_needed` (somebody holds health); 422 `username_taken`, or a weak password."""
    kept = await _judged(aside, wish, caller.address, "health")
    async with aside() as tx:
        await second_person_by_setup_code(tx, wish.code, Party(), "health")
        account = await _account(tx, wish, kept, "health")
        await end_setup_when_health_is_in(tx)
        return begun(*await begin_session(tx, account.id, "desk", "", caller.address, "in"))


async def _judged(aside: Apart, wish: SetupWish, address: str, place: Place) -> str:
    """The password's hash, once code and password are in order; hashing waits for nobody who has no code."""
    async with aside() as tx:
        await take(tx, "setup code from", address or "here", tries=CODE_TRIES, every=CODE_EVERY)
    async with aside() as tx:
        if await the_setup_code(tx, wish.code, place) is None:
            raise Refused("setup_code_wrong")
    if reasons := what_weakens(wish.password, [wish.name, wish.username]):
        raise too_weak("password", reasons)
    return await hashing.hashed(wish.password)


async def _account(tx: AsyncSession, wish: SetupWish, kept: str, role: str) -> Account:
    username = wish.username.lower()
    if await tx.scalar(select(exists().where(Account.username == username))) or await tx.scalar(
        select(exists().where(func.lower(KnownPerson.number) == username))
    ):
        raise wrong("username", "username_taken")
    account = Account(username=username, name=wish.name, password_hash=kept, password_changed_at=now(), created_at=now())
    tx.add(account)
    await tx.flush()
    tx.add(Role(account_id=account.id, role=role, state="given", asked_at=now(), decided_at=now()))
    await tx.flush()
    return account
