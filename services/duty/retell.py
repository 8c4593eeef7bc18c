"""Retell: duty tells all duties again, for those who lost what they knew. `python -m services.duty.retell`."""

from sqlalchemy import select

from services.duty.acts import events_of
from services.duty.scope import SCOPE
from services.duty.tables import Duty
from shared.auth import SYSTEM
from shared.db import Database
from shared.messaging.outbox import publish_all
from shared.retell import tell_again


async def retell(database: Database) -> int:
    """Tell every duty that was ever published anew, as one consistent moment; answers how many. No duty is ever removed, so there is
    nothing that receivers would have to forget: the newer version wins, and what they hold already stays."""
    async with database.transaction(SYSTEM) as tx:
        duties = list(await tx.scalars(select(Duty).where(Duty.state != "draft").order_by(Duty.starts_at, Duty.id)))
        await publish_all(tx, events_of(duties))
    return len(duties)


if __name__ == "__main__":
    tell_again(SCOPE, retell, lambda count: f"told {count} duties again")
