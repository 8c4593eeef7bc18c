"""Proving with the password who one is: who guesses is told to wait, and who was here before is not made to wait for it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity import hashing
from services.identity.acts import note_sign_in
from services.identity.keys import digest
from services.identity.limits import (
    ADDRESS_EVERY,
    ADDRESS_TRIES,
    DEVICE_EVERY,
    DEVICE_TRIES,
    NAME_EVERY,
    NAME_TRIES,
    PLACE_EVERY,
    PLACE_TRIES,
    fill,
    forget_wrong,
    lockout_key,
    note_wrong,
    place_of,
    refuse_when_locked,
    take,
)
from services.identity.rules import has_left
from services.identity.tables import Account, KnownDevice, KnownPerson
from shared.clock import today
from shared.db import Apart
from shared.refusals import Refused


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody wants to sign in, or to prove with the password that it is them."""

    username: str
    kind: str = ""
    device: str = ""
    address: str = ""
    device_key: str | None = None  # of a browser that says it signed in before
    session_id: UUID | None = None  # of one who is signed in and proves it again


@dataclass(frozen=True, slots=True)
class _Named:
    """Who an attempt means: an account, or nobody, and by what its device is known for it."""

    account: Account | None
    left: bool
    known_by: str


async def prove_password(aside: Apart, attempt: Attempt, password: str) -> UUID:
    """The account whose password this is. Refused `wrong_credentials`, `locked`, `too_many`, `left`; all but `too_many` are on record.

    No transaction is open while the hash is computed: a hundred people who sign in at once must not hold all connections."""
    async with aside() as tx:
        named = await _named(tx, attempt)
    account_id = named.account.id if named.account else None
    whose = str(account_id or attempt.username.casefold())
    place, key = f"{whose}@{place_of(attempt.address)}", lockout_key(account_id, attempt.username, attempt.address)
    try:
        async with aside() as tx:  # the buckets always in this order, so that two never wait for each other
            await take(tx, "sign-in from", place_of(attempt.address), tries=ADDRESS_TRIES, every=ADDRESS_EVERY)
            if named.known_by:
                await take(tx, "sign-in on", named.known_by, tries=DEVICE_TRIES, every=DEVICE_EVERY)
            else:
                await refuse_when_locked(tx, key)
                await take(tx, "sign-in at", place, tries=PLACE_TRIES, every=PLACE_EVERY)
                await take(tx, "sign-in of", whose, tries=NAME_TRIES, every=NAME_EVERY)
        if not await hashing.fits(named.account.password_hash if named.account else None, password):
            if not named.known_by:
                async with aside() as tx:
                    await note_wrong(tx, key, account_id)
            raise Refused("wrong_credentials", 401)
        if account_id is None or named.left:
            raise Refused("left", 403)
    except Refused as no:
        if no.code != "too_many":
            async with aside() as tx:
                outcome = "wrong" if no.code == "wrong_credentials" else no.code
                note_sign_in(tx, outcome, account_id=account_id, kind=attempt.kind, device=attempt.device, address=attempt.address)
        raise
    async with aside() as tx:
        if named.known_by:
            await fill(tx, "sign-in on", named.known_by)
        else:  # the account's own bucket stays as it is: its owner, coming in, gives nobody sixty guesses more
            await forget_wrong(tx, key)
            await fill(tx, "sign-in at", place)
    return account_id


async def _named(tx: AsyncSession, attempt: Attempt) -> _Named:
    """The account of a staff number or of a username; a number goes first, so that nobody takes another's name by a username."""
    by_number = func.lower(KnownPerson.number) == attempt.username.lower()
    by_key = (KnownDevice.account_id == Account.id) & (KnownDevice.key_hash == digest(attempt.device_key or ""))
    joined = select(Account, KnownPerson, KnownDevice.key_hash).outerjoin(KnownPerson, KnownPerson.id == Account.person_id)
    wanted = joined.outerjoin(KnownDevice, by_key).where(or_(by_number, Account.username == attempt.username.lower()))
    order = (by_number.desc().nulls_last(), KnownPerson.left_on.desc().nulls_first())
    row = (await tx.execute(wanted.order_by(*order).limit(1))).one_or_none()
    if row is None:
        return _Named(None, left=False, known_by="")
    person: KnownPerson | None = row.KnownPerson
    gone = person is None and row.Account.person_id is not None
    by = attempt.session_id or (row.key_hash.hex() if row.key_hash else None)
    left = gone or (person is not None and has_left(person.left_on, today()))
    return _Named(row.Account, left, known_by=f"{row.Account.id} on {by}" if by else "")
