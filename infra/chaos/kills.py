"""Kills at random, and the errors by which whoever asks notices."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

import asyncpg

from infra.chaos.house import House

AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def turns(house: House, dice: random.Random) -> Iterator[str]:
    """Who dies next: every kind once, in an order of the dice, before any of them dies again; so chance spares nobody."""
    while True:
        for kind in dice.sample(house.kinds, len(house.kinds)):
            yield dice.choice(house.of(kind))


async def kill(house: House, kills: int, done: asyncio.Event, dice: random.Random) -> Counter[str]:
    """Kill at random until enough are dead and all is told; the NATS store goes twice."""
    dead: Counter[str] = Counter()
    deletions = {kills // 3, 2 * kills // 3}
    turn = turns(house, dice)
    while sum(dead.values()) < kills or not done.is_set():
        await asyncio.sleep(dice.uniform(0.8, 2.4))
        house.watch()
        number = sum(dead.values())
        victim = "nats" if number in deletions else next(turn)
        await asyncio.to_thread(house.kill, victim, and_its_store=number in deletions)
        deletions.discard(number)
        dead[victim.partition("-")[0]] += 1
        print(f"  kill {sum(dead.values())}: {victim}", flush=True)
    return dead
