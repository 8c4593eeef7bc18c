"""The gateway with the cast settled."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Kept
from tests.doors import Doors
from tests.gateway.door import GatewayDoor


@pytest.fixture
async def gateway(doors: Doors, database: Kept | str) -> AsyncIterator[GatewayDoor]:
    """The gateway on the real services in this process, with the cast settled."""
    door = GatewayDoor(doors)
    await (database.settled(door.settle) if isinstance(database, Kept) else door.settle())
    yield door
    await door.close()
