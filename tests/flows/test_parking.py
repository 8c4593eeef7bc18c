"""An event that cannot be worked on is parked after eight failures, shown, and worked on when its cause is mended."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from shared.events import PeopleChanged, PersonState
from shared.messaging import inbox
from shared.messaging.inbox import Handler, Inbox, parked, replay
from shared.messaging.outbox import publish
from tests.doors import Door
from tests.flows.conftest import Traffic, until
from tests.people import TEACHING


async def test_a_handler_that_fails_parks_its_event_and_a_replay_works_it_off(
    identity: Door, personnel: Door, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "BACKOFF_SECONDS", (0.01,))
    original = next(one for one in identity.app.state.handlers if one.event is PeopleChanged)
    state: dict[str, Any] = {"broken": True, "tries": 0}

    async def remember(event: Any, tx: Any) -> None:
        state["tries"] += 1
        if state["broken"]:
            raise ValueError("cannot be")
        await original.handle(event, tx)

    remember.__module__, remember.__name__ = original.handle.__module__, original.handle.__name__
    handler = Handler("identity", PeopleChanged, remember)
    await traffic.kill("identity")
    await traffic.connect("identity")
    listening = asyncio.create_task(Inbox(identity.database, traffic.connections["identity"], handler).run())
    person = PersonState(
        id=uuid4(),
        number="1",
        name="甲",
        sort_key="jia",
        department_id=TEACHING.id,
        employment="agency",
        left_on=None,
        version=1,
    )
    async with personnel.rows() as tx:
        publish(tx, PeopleChanged(people=[person]))
    personnel.database.published.set()

    async def is_parked() -> bool:
        return len(await parked(identity.database)) == 1

    await until(is_parked)
    listening.cancel()
    assert state["tries"] == 8
    assert (await replay(identity.database, [handler]))[0] == 0

    state["broken"] = False

    assert (await replay(identity.database, [handler]))[0] == 1
    assert await parked(identity.database) == []
