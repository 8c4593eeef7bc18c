"""Each process is killed once in the middle of work; nothing that was accepted is lost, and nothing happens twice."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.chaos.house import House
from infra.chaos.play import settled, tell

EVENTS = 600
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two replicas of each service, PostgreSQL and NATS."""
    found = House(tmp_path)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def test_nothing_is_lost_or_doubled_when_every_process_dies_once(house: House) -> None:
    async def play() -> tuple[list[int], list[int]]:
        done = asyncio.Event()
        telling = asyncio.create_task(tell(house, EVENTS, done, seconds=10))
        for victim in (one for kind in house.kinds for one in house.of(kind)):
            await asyncio.sleep(1.2)
            await asyncio.to_thread(house.kill, victim, and_its_store=victim == "nats")
        await telling
        found = await settled(house, EVENTS, 120)
        return [number for number in range(EVENTS) if number not in found], [number for number, times in found.items() if times > 1]

    lost, doubled = asyncio.run(play())

    assert (lost, doubled) == ([], [])
