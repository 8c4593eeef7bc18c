"""The demo: whose part one can take at the points, now or next. In a real system none of this exists."""

from typing import Annotated, Literal
from uuid import UUID

from sqlalchemy import select

from services.dispatch.reads import brief_people
from services.dispatch.tables import Assignment, Shift
from shared.auth import Caller, anyone
from shared.clock import now
from shared.db import Read, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.settings import settings
from shared.web import Shown

demo = Slice(prefix="/demo", tags=["demo"])

_WHY = "it exists in a demo alone, which holds invented people"


class Player(Shown):
    """Somebody whose part one can take, as identity's cast shows its own."""

    person_id: UUID
    role: Literal["shift_leader", "volunteer"]
    name: str
    department: str | None
    hint: Literal["on_shift"] = "on_shift"


class Players(Shown):
    """Whoever leads the shift that runs or comes next, and whoever is on the next one and leads none."""

    items: list[Player]


@demo.get("/cast")
async def list_players(caller: Annotated[Caller, anyone(_WHY)], read: Read) -> Players:
    """A shift leader and a volunteer, by the demo's clock; none where no shift is left. Refused 404 `not_found` outside a demo."""
    if not settings().demo:
        raise Refused("not_found", 404)
    async with as_system(read):
        led = select(Shift.leader_id).where(Shift.state == "open", Shift.ends_at > now(), Shift.leader_id.is_not(None))
        leader = await read.scalar(led.order_by(Shift.starts_at, Shift.id).limit(1))
        leaders = select(Shift.leader_id).where(Shift.leader_id.is_not(None))
        goes = select(Assignment.person_id).where(Assignment.state == "confirmed", Assignment.starts_at > now())
        goes = goes.where(Assignment.person_id.not_in(leaders))
        volunteer = await read.scalar(goes.order_by(Assignment.starts_at, Assignment.person_id).limit(1))
        people = await brief_people(read, {leader, volunteer})
    roles: tuple[tuple[Literal["shift_leader", "volunteer"], UUID | None], ...] = (("shift_leader", leader), ("volunteer", volunteer))
    return Players(
        items=[
            Player(person_id=one, role=role, name=people[one].name, department=people[one].department)
            for role, one in roles
            if one is not None and one in people
        ]
    )
