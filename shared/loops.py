"""Loops without end that do end when they are told to."""

import asyncio


def goes_on() -> bool:
    """Whether nobody asked the running task to end.

    For the head of a loop: a wait that is cancelled in the instant its answer arrives hands out the answer and swallows the
    cancellation (`asyncio.wait_for` until Python 3.12, and with it all of nats-py); the task still counts that it was asked.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() == 0
