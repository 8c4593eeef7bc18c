"""Operations as the pages of coordinators begin with them: somebody coordinates, an operation has shifts, people are on them."""

from typing import Any

import httpx

from services.dispatch.tables import Shift
from services.identity.tables import Role
from shared.clock import now
from tests.gateway.door import GatewayDoor
from tests.people import COORDINATOR, FANG_JIBAI, PEOPLE, Person
from tests.services.deployment import planned, shifts_of


async def coordinator(gateway: GatewayDoor, lang: str = "zh-Hans") -> httpx.AsyncClient:
    """The browser of somebody who coordinates."""
    async with gateway.doors.identity.rows() as tx:
        tx.add(Role(person_id=FANG_JIBAI.id, role="coordinator", state="given", asked_at=now()))
    return await gateway.browser(FANG_JIBAI, lang)


async def team_of(gateway: GatewayDoor, *people: Person, name: str = "防疫突击队") -> dict[str, Any]:
    """A team of these people; of everybody without any."""
    wish = {"name": name, "member_ids": [str(one.id) for one in people or PEOPLE]}
    answer = await gateway.doors.dispatch.post("/teams", wish, COORDINATOR)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def operation_tomorrow(gateway: GatewayDoor, **changes: Any) -> tuple[dict[str, Any], list[Shift]]:
    """An open operation tomorrow and the day after, and the shifts of its first site."""
    operation = await planned(gateway.doors.dispatch, from_on="2021-08-05", until_on="2021-08-06", **changes)
    return operation, await shifts_of(gateway.doors.dispatch, operation)
