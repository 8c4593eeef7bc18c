"""`make parked`: the events a service could not work on, listed, and handled again when asked."""

import asyncio
import importlib
import sys

from shared.db import Database, engine_for
from shared.messaging.inbox import parked, replay
from shared.settings import settings


async def show(service: str, *, again: bool) -> int:
    """List what is parked; with `again` also handle it. Answers how many events still fail."""
    scope = importlib.import_module(f"services.{service}.scope").SCOPE
    database = Database(engine_for(settings().database_url.get_secret_value()), scope)
    failed: list[str] = []
    try:
        rows = await parked(database)
        for row in rows:
            print(f"{service}  {row.parked_at:%Y-%m-%d %H:%M}  {row.handler}  {row.event_id}  after {row.tries} tries: {row.error}")
        if again and rows:
            done, failed = await replay(database, importlib.import_module(f"services.{service}.app").app.state.handlers)
            print(f"{service}  handled again: {done}; still failing: {len(failed)}")
            for line in failed:
                print(f"{service}  {line}")
        elif not rows:
            print(f"{service}  nothing is parked")
        else:
            print(f"{service}  handle them again with: make parked REPLAY=all")
    finally:
        await database.engine.dispose()
    return len(failed)


if __name__ == "__main__":
    sys.exit(min(1, asyncio.run(show(sys.argv[1], again=sys.argv[2:] == ["all"]))))
