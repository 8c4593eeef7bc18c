"""An operation as the tests of dispatch begin with it: everybody known, sites with shifts, people on them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from services.dispatch.tables import Assignment, KnownFitness, OpenPlace, Operation, Shift, ShiftRole, Site, Team, TeamMember
from shared.bookings import Span, book, hold_time_of
from shared.clock import now
from shared.events import DepartmentsChanged, PeopleChanged
from tests.doors import Door
from tests.people import COORDINATOR, NOW, PEOPLE, TODAY, Person, id_of
from tests.services.let_in import departments, state_of

PATTERN: dict[str, Any] = {
    "times": [["08:00", "12:00"], ["12:00", "16:00"]],
    "roles": [{"name": "登记", "head_count": 2}, {"name": "秩序", "head_count": 1}],
}
OPERATION: dict[str, Any] = {
    "name": "社区核酸检测支援",
    "kind": "testing",
    "place": "林语社区",
    "from_on": "2021-08-04",
    "until_on": "2021-08-06",
    "sites": [{"name": "东门采样点"}, {"name": "西门采样点"}],
    "pattern": PATTERN,
}


async def knows_everybody(dispatch: Door) -> None:
    """Dispatch was told of the cast."""
    await dispatch.hears(DepartmentsChanged(departments=departments()))
    await dispatch.hears(PeopleChanged(people=[state_of(person) for person in PEOPLE]))


async def planned(dispatch: Door, *, opened: bool = True, **changes: Any) -> dict[str, Any]:
    """An operation with its sites and shifts, open unless said otherwise."""
    answer = await dispatch.post("/operations", OPERATION | changes, COORDINATOR)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    if opened:
        answer = await dispatch.post(f"/operations/{found['id']}/opening", None, COORDINATOR)
        assert answer.status_code == 200, answer.text
        found = answer.json()
    return found


async def shifts_of(dispatch: Door, operation: dict[str, Any], site: int = 0) -> list[Shift]:
    """The shifts of one of its sites, in order of time."""
    async with dispatch.rows() as tx:
        wanted = select(Shift).where(Shift.site_id == UUID(operation["sites"][site]["id"]))
        return list(await tx.scalars(wanted.order_by(Shift.starts_at, Shift.ends_at)))


async def is_on(dispatch: Door, shift: Shift, person: Person, state: str = "confirmed", role: str = "登记", **given: Any) -> UUID:
    """The person is on the shift, their time is booked."""
    row_id = uuid4()
    async with dispatch.rows() as tx:
        await hold_time_of(tx, person.id)
        if state not in ("declined", "released", "no_show"):
            await book(tx, Span(row_id, person.id, shift.starts_at, shift.ends_at, "assignment"))
        row = assigned(shift, person.id, id=row_id, state=state, role=role, **given)
        tx.add(row)
    return row_id


def assigned(shift: Shift, person_id: UUID, **given: Any) -> Assignment:
    """The row of a person on a shift."""
    return assigned_to(shift.id, {"starts_at": shift.starts_at, "ends_at": shift.ends_at}, person_id=person_id, **given)


def assigned_to(shift_id: UUID, times: dict[str, datetime], **given: Any) -> Assignment:
    """The row of somebody on the shift of these times."""
    plain = {"id": uuid4(), "role": "登记", "state": "confirmed", "asked_at": now(), "walk_on": False, "late": False, "version": 1}
    return Assignment(shift_id=shift_id, **{**times, **plain, **given})


async def is_fit(dispatch: Door, person: Person, rule: str = "testing_point", until: datetime | None = None) -> None:
    """The person is fit for what the rule set asks, until then."""
    began = now() - timedelta(days=1)
    await dispatch.has(KnownFitness(person_id=person.id, rule=rule, fit_from=began, fit_until=until, version=1, heard_at=now()))


async def seed_dispatch(dispatch: Door) -> None:
    """Everybody leads a team, a site and a shift, and is on that shift; the ids are those that the matrix names."""
    await knows_everybody(dispatch)
    starts_at, ends_at = NOW + timedelta(days=1), NOW + timedelta(days=1, hours=4)
    async with dispatch.rows() as tx:
        for one in PEOPLE:
            ids = {
                name: id_of(f"{name}-{one.number}")
                for name in ("team_id", "operation_id", "site_id", "shift_id", "assignment_id", "place_id")
            }
            tx.add(Team(id=ids["team_id"], name=f"第{one.number[-2:]}队", leader_id=one.id, version=1))
            days = {"from_on": TODAY, "until_on": TODAY + timedelta(days=2)}
            made = {"kind": "testing", "place": "林语社区", "state": "open", "created_at": now(), "version": 1, **days}
            tx.add(Operation(id=ids["operation_id"], name="核酸检测", **made))
            await tx.flush()
            tx.add(TeamMember(team_id=ids["team_id"], person_id=one.id))
            led = {"operation_id": ids["operation_id"], "leader_id": one.id, "version": 1}
            tx.add(Site(id=ids["site_id"], name="东门", place_in_list=0, code="x", **led))
            await tx.flush()
            times = {"starts_at": starts_at, "ends_at": ends_at}
            tx.add(Shift(id=ids["shift_id"], site_id=ids["site_id"], signup=True, state="open", **times, **led))
            await tx.flush()
            tx.add(ShiftRole(shift_id=ids["shift_id"], name="登记", head_count=2, place_in_list=0))
            await tx.flush()
            tx.add(assigned_to(ids["shift_id"], times, id=ids["assignment_id"], person_id=one.id, state="proposed"))
            await book(tx, Span(ids["assignment_id"], one.id, starts_at, ends_at, "assignment"))
            gone = assigned_to(ids["shift_id"], times, id=ids["place_id"], person_id=id_of("somebody"), state="released")
            tx.add(gone)
            await tx.flush()
            place = {"shift_id": ids["shift_id"], "person_id": gone.person_id, "role": "登记", "because": "left", "state": "open"}
            tx.add(OpenPlace(assignment_id=gone.id, opened_at=now(), **place))


async def assignment(dispatch: Door, row_id: UUID) -> Assignment:
    """As it stands now."""
    async with dispatch.rows() as tx:
        return await tx.get_one(Assignment, row_id)
