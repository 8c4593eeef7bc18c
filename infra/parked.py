"""Events, due rows and errands that a service gave up: listed, or tried again. Runs as it: `python -m infra.parked identity [all]`."""

import asyncio
import importlib
import sys
from collections.abc import Sequence

from shared import due, errand
from shared.db import Database, engine_for
from shared.messaging.inbox import parked, replay
from shared.settings import settings


async def look(service: str, again: bool) -> list[str]:
    """The sentences to say: one for each that is parked, or what came of trying again. Due rows and errands are done by the service,
    which runs."""
    app = importlib.import_module(f"services.{service}.app").app
    scope = importlib.import_module(f"services.{service}.scope").SCOPE
    database = Database(engine_for(settings().database_url.get_secret_value()), scope)
    try:
        if again:
            done_count, failed = await replay(database, app.state.handlers)
            again_count = await due.try_again(database)
            errand_count = await errand.try_again(database)
            said = f"{service}: {done_count} events handled, {len(failed)} still fail"
            said += f"; {again_count} due rows and {errand_count} errands are tried again now"
            return [said, *(f"  {one}" for one in failed)]
        events, rows = await parked(database), await due.parked(database)
        told = [f"  {one.parked_at:%Y-%m-%d %H:%M} {one.handler} {one.subject} {one.event_id}: {one.error}" for one in events]
        told += [f"  {one.parked_at:%Y-%m-%d %H:%M} due: {one.kind} {one.key}: {one.error}" for one in rows]
        errands = await errand.given_up(database)
        lost = [f"  {one.last_at:%Y-%m-%d %H:%M} errands: {one.count} {one.kind} to {one.lane}: {one.error}" for one in errands]
        return [f"{service}: {len(told)} parked, {sum(one.count for one in errands)} errands given up", *told, *lost]
    finally:
        await database.engine.dispose()


def main(arguments: Sequence[str]) -> int:
    """The service, and `all` to handle again."""
    print("\n".join(asyncio.run(look(arguments[0], "all" in arguments[1:]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
