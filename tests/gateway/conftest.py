"""The gateway with the cast settled."""

from collections.abc import AsyncIterator

import pytest

from tests.doors import Doors
from tests.gateway.door import GatewayDoor


@pytest.fixture
async def gateway(doors: Doors) -> AsyncIterator[GatewayDoor]:
    """The gateway on the real services in this process, with the cast settled."""
    door = GatewayDoor(doors)
    await door.settle()
    yield door
    await door.close()
