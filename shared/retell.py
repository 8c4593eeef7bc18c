"""The frame of a telling that the operator asks for: the service's own database, what it tells, and one sentence of how much it was."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.db import Database, Scope, engine_for
from shared.settings import settings

Told = TypeVar("Told")


def tell_again(scope: Scope, retell: Callable[[Database], Awaitable[Told]], said: Callable[[Told], str]) -> None:
    """Open the database, tell, and say to the operator what was told."""

    async def _told() -> Told:
        database = Database(engine_for(settings().database_url.get_secret_value()), scope)
        try:
            return await retell(database)
        finally:
            await database.engine.dispose()

    print(said(asyncio.run(_told())))  # noqa: T201  # said to the operator
