"""Real NATS beside real PostgreSQL: events travel as they do in the house."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from infra.nats import Nats
from services.dispatch.app import app as dispatch_app
from services.duty.app import app as duty_app
from services.identity.app import app as identity_app
from services.notifications.app import app as notifications_app
from services.personnel.app import app as personnel_app
from shared.messaging.inbox import Inbox
from shared.messaging.relay import Relay
from shared.messaging.streams import connect_within
from shared.messaging.subjects import told_by
from shared.service import consumers_of
from tests.doors import Door, Doors

APPS = (identity_app, personnel_app, duty_app, dispatch_app, notifications_app)


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    """A server of this test's own, with each user's rights as in the house."""
    server = Nats(tmp_path / "nats", {app.state.name: consumers_of(app) for app in APPS}, fsync=False)
    server.start()
    yield server
    server.stop()


class Traffic:
    """The relays and inboxes of every service, which can be killed and begun anew."""

    def __init__(self, doors: Doors, nats: Nats) -> None:
        self.doors, self.nats = doors, nats
        self.tasks: dict[str, list[asyncio.Task[None]]] = {}
        self.connections: dict[str, Client] = {}

    async def begin(self, name: str) -> None:
        """The service's relay and inboxes run."""
        door: Door = getattr(self.doors, name)
        nc = await self.connect(name)
        relays = (Relay(door.database, nc, stream).run() for stream in told_by(name))
        loops = [*relays, *(Inbox(door.database, nc, handler).run() for handler in door.app.state.handlers)]
        self.tasks[name] = [asyncio.create_task(loop) for loop in loops]

    async def connect(self, name: str) -> Client:
        """The service is connected, and nothing of it runs yet."""
        nc = self.connections[name] = await connect_within(self.nats.url(name), name)
        return nc

    async def kill(self, name: str) -> None:
        """They stop where they stand, in the middle of whatever they do."""
        if tasks := self.tasks.pop(name, []):
            for task in tasks:
                task.cancel()
            _, unended = await asyncio.wait(tasks, timeout=10)
            assert not unended
        if (nc := self.connections.pop(name, None)) is not None:
            await nc.close()


@pytest.fixture
async def traffic(doors: Doors, nats: Nats) -> AsyncIterator[Traffic]:
    """Every service's relay and inboxes run."""
    found = Traffic(doors, nats)
    for name in (app.state.name for app in APPS):
        await found.begin(name)
    yield found
    for name in list(found.tasks):
        await found.kill(name)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until it holds; fail when it does not within the time."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110  # what is waited for is in a database
            await asyncio.sleep(0.02)
