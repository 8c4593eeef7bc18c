"""A loop without end ends when it is told to, even in the instant in which what it waits for arrives."""

import asyncio

import pytest

from shared.loops import goes_on


@pytest.mark.parametrize("turns", range(5))
async def test_a_loop_ends_however_close_its_answer_and_its_end_come_together(turns: int) -> None:
    arrived = asyncio.Event()

    async def loop() -> None:
        while goes_on():
            await asyncio.wait_for(arrived.wait(), 60)
            arrived.clear()

    task = asyncio.create_task(loop())
    await asyncio.sleep(0.01)
    arrived.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()

    _, unended = await asyncio.wait([task], timeout=1)
    task.cancel()
    assert not unended
