"""The operator's door: `python -m services.identity.setup_code` prints the setup codes that are needed, on record; those before end."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from services.identity.acts import Place, print_setup_code
from services.identity.reads import health_can_sign_in
from services.identity.rules import SETUP_CODE_LIVES
from services.identity.scope import SCOPE
from services.identity.tables import System
from shared.auth import SYSTEM
from shared.db import Database, engine_for
from shared.settings import settings

_FOR: dict[Place, str] = {
    "administrator": "for the administrator",
    "health": "for whoever keeps health records: hand this one to another person",
}


async def print_new(database: Database, place: Place, lives: timedelta = SETUP_CODE_LIVES) -> str:
    """A fresh setup code, given once; its row says when it was printed and what it was used for."""
    async with database.transaction(SYSTEM) as tx:
        return await print_setup_code(tx, lives=lives, place=place)


async def needed(database: Database) -> list[Place]:
    """The places that the set-up still has to fill: no administrator yet, nobody who holds health."""
    async with database.transaction(SYSTEM) as tx:
        places: list[Place] = ["administrator"] if (await tx.scalar(select(System.set_up_at))) is None else []
        return places if await health_can_sign_in(tx) else [*places, "health"]


async def _print(asked: Sequence[str]) -> None:
    database = Database(engine_for(settings().database_url.get_secret_value(), pool_size=1), SCOPE)
    try:
        places: Sequence[Place] = [one for one in _FOR if one in asked] or await needed(database) or ["administrator"]
        codes = {place: await print_new(database, place) for place in places}
    finally:
        await database.engine.dispose()
    for place, code in codes.items():
        sys.stdout.write(f"setup code: {code} ({_FOR[place]}; works for {SETUP_CODE_LIVES.days} days, the one before it has ended)\n")


def main(asked: Sequence[str] = ()) -> None:
    """Print the setup codes needed, or those of the places named; DATABASE_URL is identity's."""
    if not set(asked) <= set(_FOR):
        sys.exit(f"usage: python -m services.identity.setup_code [{'|'.join(_FOR)}]")
    if not settings().database_url.get_secret_value():
        sys.exit("setting DATABASE_URL: the address of the database with identity's role is missing")
    asyncio.run(_print(asked))


if __name__ == "__main__":
    main(sys.argv[1:])
