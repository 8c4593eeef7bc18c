"""The operator's door: `python -m services.identity.setup_code` prints a fresh setup code, on record; those before it end."""

import asyncio
import sys
from datetime import timedelta

from sqlalchemy import select

from services.identity.acts import print_setup_code
from services.identity.reads import health_can_sign_in
from services.identity.rules import SETUP_CODE_LIVES
from services.identity.scope import SCOPE
from services.identity.tables import System
from shared.auth import SYSTEM
from shared.db import Database, engine_for
from shared.settings import settings


async def print_new(database: Database, lives: timedelta = SETUP_CODE_LIVES) -> str:
    """A fresh setup code, given once; its row says when it was printed and what it was used for."""
    async with database.transaction(SYSTEM) as tx:
        return await print_setup_code(tx, lives=lives)


async def needed(database: Database) -> bool:
    """Is the set-up still open: no administrator yet, or nobody who holds health?"""
    async with database.transaction(SYSTEM) as tx:
        return (await tx.scalar(select(System.set_up_at))) is None or not await health_can_sign_in(tx)


async def _print() -> None:
    database = Database(engine_for(settings().database_url.get_secret_value(), pool_size=1), SCOPE)
    try:
        code = await print_new(database)
    finally:
        await database.engine.dispose()
    sys.stdout.write(f"setup code: {code} (works for {SETUP_CODE_LIVES.days} days; the one before it has ended)\n")


def main() -> None:
    """Print a setup code; DATABASE_URL is identity's."""
    if not settings().database_url.get_secret_value():
        sys.exit("setting DATABASE_URL: the address of the database with identity's role is missing")
    asyncio.run(_print())


if __name__ == "__main__":
    main()
