"""20,000 events between services while every kind of process is killed at random: nothing may be lost or doubled. And the command."""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from infra.chaos import story
from infra.chaos.house import House
from infra.chaos.kills import AWAY, kill
from shared.clock import real_now
from shared.events import RecordLooked

SPACE = UUID("6f1d2c1e-8f59-4a0b-9b5e-3a2f1d0c9b8a")
IN_ONE = 20


def envelope(number: int) -> tuple[UUID, bytes]:
    """An event that carries its own number, under an id that is the same at every try."""
    event_id = uuid5(SPACE, str(number))
    said = RecordLooked(
        account_id=None, client_id=None, looker_id=None, looker_name="chaos", what="list", person_ids=[event_id],
        people_count=1, filter={"number": number}, purpose="chaos", looked_at=real_now(),
    )  # fmt: skip
    return event_id, said.envelope(event_id, real_now())


async def tell(house: House, events: int, done: asyncio.Event, seconds: float = 60) -> None:
    """Put the events into personnel's outbox. A connection that dies in COMMIT leaves the outcome unknown: the same ids are put again."""
    pace = events / seconds  # so that the telling lasts through all the kills
    began = time.monotonic()
    for first in range(0, events, IN_ONE):
        rows = [(*envelope(number), RecordLooked.subject, real_now()) for number in range(first, min(first + IN_ONE, events))]
        while True:
            try:
                connection = await asyncpg.connect(house.postgres.url("personnel"), timeout=2)
                try:
                    await connection.executemany(
                        "insert into outbox (event_id, body, subject, created_at) values ($1, $2, $3, $4) on conflict do nothing", rows
                    )
                finally:
                    await connection.close(timeout=2)
                break
            except AWAY:
                await asyncio.sleep(0.1)
        await asyncio.sleep(max(0.0, began + first / pace - time.monotonic()))
    done.set()


async def arrived(house: House) -> Counter[int]:
    """How often each event had its effect."""
    connection = await asyncpg.connect(house.postgres.url("identity"), timeout=5)
    try:
        rows = await connection.fetch("select (filter ->> 'number')::int as number, count(*) as times from look group by 1")
        return Counter({row["number"]: row["times"] for row in rows})
    finally:
        await connection.close()


async def settled(house: House, events: int, seconds: float) -> Counter[int]:
    """Wait until all have arrived, or as long as is fair."""
    until = time.monotonic() + seconds
    found: Counter[int] = Counter()
    while time.monotonic() < until and len(found) < events:
        await asyncio.sleep(1)
        house.watch()
        try:
            found = await arrived(house)
        except AWAY:
            continue
    await asyncio.sleep(3)  # a late repeat would show now
    return await arrived(house)


async def play(house: House, events: int, kills: int, seed: int) -> dict[str, object]:
    """Tell and kill side by side; then count."""
    done = asyncio.Event()
    telling = asyncio.create_task(tell(house, events, done))
    dead = await kill(house, kills, done, random.Random(seed))
    await telling
    print("  all told; waiting for what is still on its way", flush=True)
    found = await settled(house, events, 180)
    lost = [number for number in range(events) if number not in found]
    doubled = [number for number, times in found.items() if times > 1]
    return {
        "events": events,
        "kills": sum(dead.values()),
        "killed": dict(dead),
        "store_deleted": 2,
        "lost": len(lost),
        "doubled": len(doubled),
        "seed": seed,
    }


def main() -> int:
    """Prints what was killed and what came of it; the last line is JSON. 1 when anything was lost, doubled or broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plays", nargs="*", metavar="play", help="events, story; both without a name")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=36)
    parser.add_argument("--seed", type=int, default=20210804)
    wanted = parser.parse_args()
    plays = wanted.plays or ["events", "story"]
    if unknown := set(plays) - {"events", "story"}:
        parser.error(f"no such play: {', '.join(sorted(unknown))}")
    results: dict[str, Any] = {}
    for name in plays:
        with tempfile.TemporaryDirectory(prefix="muster-chaos-") as folder:
            house = House(Path(folder))
            try:
                house.start()
                coming = (
                    play(house, wanted.events, wanted.kills, wanted.seed)
                    if name == "events"
                    else story.play(house, wanted.kills, wanted.seed)
                )
                results[name] = asyncio.run(coming)
            finally:
                house.stop()
    for name, result in results.items():
        print(f"{name}: {result['kills']} kills")
        wrong = result["broken"] if name == "story" else {"lost": result["lost"], "doubled": result["doubled"]}
        for what, many in wrong.items():
            print(f"  {many:>4}  {what}")
    print(json.dumps(results))
    events, broken = results.get("events", {}), results.get("story", {}).get("broken", {})
    return 1 if events.get("lost") or events.get("doubled") or any(broken.values()) else 0
