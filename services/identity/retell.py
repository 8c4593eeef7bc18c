"""Retell: identity tells again who holds which given role. `python -m services.identity.retell`."""

from sqlalchemy import func, select

from services.identity.acts import tell_holder
from services.identity.scope import SCOPE
from services.identity.tables import Account, Role
from shared.auth import SYSTEM
from shared.db import Database
from shared.retell import tell_again


async def retell(database: Database) -> int:
    """Tell of everybody who holds or held a role; answers how many. Whoever holds none any more is told so, and nobody is forgotten."""
    async with database.transaction(SYSTEM) as tx:
        holder = func.coalesce(Role.person_id, Account.person_id)
        asked = select(holder).outerjoin(Account, Account.id == Role.account_id).where(holder.is_not(None)).distinct()
        people = sorted(await tx.scalars(asked))
        for person_id in people:
            await tell_holder(tx, person_id)
    return len(people)


if __name__ == "__main__":
    tell_again(SCOPE, retell, lambda count: f"told the roles of {count} people again")
