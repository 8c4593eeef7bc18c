"""The small institution as duty was told of it, with somebody who plans, for the tests of the pages of duty."""

from typing import Any

import httpx

from services.identity.tables import Role
from shared.clock import now
from tests.gateway.door import GatewayDoor
from tests.people import TANG_YINAN, ZHONG_YIFAN, Person
from tests.services.duties import MONDAY, people, post

WEEK = f"/rosters/{MONDAY}"


async def planner(gateway: GatewayDoor, lang: str = "zh-Hans") -> httpx.AsyncClient:
    """The browser of 钟亦凡, who plans; duty knows everybody."""
    return await _holder(gateway, ZHONG_YIFAN, "duty_planner", lang)


async def leader(gateway: GatewayDoor) -> httpx.AsyncClient:
    """The browser of 唐以南, a leader; duty knows everybody."""
    return await _holder(gateway, TANG_YINAN, "leader", "zh-Hans")


async def _holder(gateway: GatewayDoor, person: Person, role: str, lang: str) -> httpx.AsyncClient:
    await people(gateway.doors.duty)
    async with gateway.doors.identity.rows() as tx:
        tx.add(Role(person_id=person.id, role=role, state="given", asked_at=now()))
    return await gateway.browser(person, lang)


async def officer(gateway: GatewayDoor, **changes: Any) -> str:
    """A post is kept; its id."""
    return str((await post(gateway.doors.duty, **changes))["id"])


def names(roster: dict[str, Any]) -> list[str | None]:
    """Who holds the places of a week, in their order."""
    return [slot["person"]["name"] if slot["person"] else None for slot in roster["slots"]]
