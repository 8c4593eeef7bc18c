"""Relay and inboxes end when they are told to, in whatever instant: a process that cannot end holds up the stop of the house."""

import asyncio
import random

from tests.flows.conftest import Traffic

TIMES = 20


async def test_every_loop_ends_when_it_is_told_to_in_whatever_instant(traffic: Traffic) -> None:
    instants = random.Random(1)

    for _ in range(TIMES):
        for name in ("identity", "personnel"):
            await asyncio.sleep(instants.random() / 50)
            await traffic.kill(name)
            await traffic.begin(name)
