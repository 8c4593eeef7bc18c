"""What is kept of passwords: argon2id in a worker thread, never more of them at once than leave one core to the others."""

import asyncio
import os
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_SIDE_BY_SIDE = max(1, (os.cpu_count() or 1) - 1)  # with as many as cores the event loop stands still
_room: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


@cache
def _of_nobody() -> str:
    """A hash that no password fits, so that an unknown name takes as long as a known one."""
    return _hasher().hash(os.urandom(16))


def _here() -> asyncio.Semaphore:
    return _room.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_SIDE_BY_SIDE))


async def hashed(password: str) -> str:
    """What is kept of a password. Hold no transaction open while waiting for this."""
    async with _here():
        return await asyncio.to_thread(_hasher().hash, password)


def _fits(kept: str | None, password: str) -> bool:
    try:
        _hasher().verify(kept or _of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


async def fits(kept: str | None, password: str) -> bool:
    """Is this the password? Takes the same time when there is none to compare with."""
    async with _here():
        return await asyncio.to_thread(_fits, kept, password)
