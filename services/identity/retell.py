"""Retell: identity tells again who holds which given role. `python -m services.identity.retell`."""

import asyncio

from sqlalchemy import func, select

from services.identity.acts import tell_holder
from services.identity.scope import SCOPE
from services.identity.tables import Account, Role
from shared.auth import SYSTEM
from shared.db import Database, engine_for
from shared.settings import settings


async def retell(database: Database) -> int:
    """Tell of everybody who holds or held a role; answers how many. Whoever holds none any more is told so, and nobody is forgotten."""
    async with database.transaction(SYSTEM) as tx:
        holder = func.coalesce(Role.person_id, Account.person_id)
        asked = select(holder).outerjoin(Account, Account.id == Role.account_id).where(holder.is_not(None)).distinct()
        people = sorted(await tx.scalars(asked))
        for person_id in people:
            await tell_holder(tx, person_id)
    return len(people)


async def _main() -> None:
    database = Database(engine_for(settings().database_url.get_secret_value()), SCOPE)
    try:
        count = await retell(database)
    finally:
        await database.engine.dispose()
    print(f"told the roles of {count} people again")  # noqa: T201  # said to the operator


if __name__ == "__main__":
    asyncio.run(_main())
