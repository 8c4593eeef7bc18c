"""How often something may be tried: token buckets and locks, kept in the database so that all replicas share them. Call these apart."""

from ipaddress import IPv6Address, ip_address
from uuid import UUID

from sqlalchemy import case, delete, extract, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.keys import digest
from services.identity.rules import LOCKED_FOR, WRONG_FORGOTTEN_AFTER, WRONG_UNTIL_LOCKED
from services.identity.tables import Bucket, Lockout
from shared.clock import real_now
from shared.refusals import Refused

# Guessing from one place: ten wrong ones (rules.WRONG_UNTIL_LOCKED) lock an account for that place alone, so that a prankster locks out
# at most whoever sits beside them and never signed in from there. This bucket only holds back those sent at once, before the wrong ones
# among them are counted: a few more than ten, so that who types fast is told of the lock and not to wait for seconds.
PLACE_TRIES, PLACE_EVERY = 12, 6.0
# Guessing from many places at one account: soft, since it reaches its owner too, at a device that is not known. Six places can be
# locked before it bites; then it lets 2,880 guesses a day through, which is nowhere near a password of ten letters that is not common.
NAME_TRIES, NAME_EVERY = 60, 30.0
# A browser that signed in before, or is signed in: never locked by others, and slow for a thief of the browser.
DEVICE_TRIES, DEVICE_EVERY = 10, 30.0
ADDRESS_TRIES, ADDRESS_EVERY = 300, 0.1  # an institution often has one address for everybody, and a morning when all sign in
CODE_TRIES, CODE_EVERY = 300, 0.2  # a hall full of people with sheets; a code has 50 bits, so guessing at this pace takes a lifetime


async def take(tx: AsyncSession, what: str, key: str, *, tries: int, every: float) -> None:
    """Take a token from a bucket that holds so many and fills by one every so many seconds. Call it apart. Refused `too_many`."""
    if not key:
        return
    at = real_now()
    filled = func.least(float(tries), Bucket.tokens + extract("epoch", literal(at) - Bucket.filled_at) / every)
    row = insert(Bucket).values(key=digest(f"{what}:{key}"), tokens=float(tries - 1), filled_at=at, taken=True)
    fresh = {"tokens": case((filled >= 1, filled - 1), else_=filled), "taken": filled >= 1, "filled_at": at}
    if not await tx.scalar(row.on_conflict_do_update(index_elements=["key"], set_=fresh).returning(Bucket.taken)):
        raise Refused("too_many", 429, {"seconds": int(every) + 1})


async def fill(tx: AsyncSession, what: str, key: str) -> None:
    """The bucket is full again: whoever has just proven who they are was not guessing."""
    await tx.execute(delete(Bucket).where(Bucket.key == digest(f"{what}:{key}")))


def place_of(address: str) -> str:
    """Where an address is: of the newer kind a household has 2^64, which are one place."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))


def lockout_key(account_id: UUID | None, username: str, address: str) -> bytes:
    """An account, or a name that no account has, from one place: both are locked alike, so that a lock tells nothing."""
    who = f"account:{account_id}" if account_id else f"name:{username.casefold()}"
    return digest(f"{who}@{place_of(address)}")


async def refuse_when_locked(tx: AsyncSession, key: bytes) -> None:
    """Refused `locked`, with the seconds until it opens by itself."""
    until = await tx.scalar(select(Lockout.locked_until).where(Lockout.key == key))
    if until is not None and until > real_now():
        raise Refused("locked", 429, {"seconds": int((until - real_now()).total_seconds()) + 1})


async def note_wrong(tx: AsyncSession, key: bytes, account_id: UUID | None) -> None:
    """One more wrong password; so many of them within a day lock for a while. Call it apart."""
    at = real_now()
    row = insert(Lockout).values(key=key, account_id=account_id, wrong_count=1, last_wrong_at=at)
    so_far = case((Lockout.last_wrong_at < at - WRONG_FORGOTTEN_AFTER, 0), else_=Lockout.wrong_count)
    counted = row.on_conflict_do_update(index_elements=["key"], set_={"wrong_count": so_far + 1, "last_wrong_at": at})
    if (await tx.execute(counted.returning(Lockout.wrong_count))).scalar_one() >= WRONG_UNTIL_LOCKED:
        await tx.execute(update(Lockout).where(Lockout.key == key).values(wrong_count=0, locked_until=at + LOCKED_FOR))


async def forget_wrong(tx: AsyncSession, key: bytes) -> None:
    """The right password forgets the wrong ones from this place."""
    await tx.execute(delete(Lockout).where(Lockout.key == key))


async def open_locks(tx: AsyncSession, account_id: UUID) -> None:
    """The administrator, or a new code, opens the locks of an account, wherever they were closed."""
    await tx.execute(delete(Lockout).where(Lockout.account_id == account_id))
    await fill(tx, "sign-in of", str(account_id))
