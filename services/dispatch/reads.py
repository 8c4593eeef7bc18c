"""Questions that several slices ask: who is it, who is here, how an assignment and an operation are shown."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.rules.moving import is_fit
from services.dispatch.rules.patterns import days_between
from services.dispatch.shapes import (
    AssignmentShown,
    CorrectionShown,
    DayShown,
    OperationBrief,
    OperationRow,
    OperationShown,
    PersonBrief,
    RoleShown,
    ShiftShown,
    SiteBrief,
    SiteShown,
)
from services.dispatch.tables import (
    HOLDS_PLACE,
    Assignment,
    KnownDepartment,
    KnownFitness,
    KnownPerson,
    Operation,
    Shift,
    ShiftRole,
    Site,
    TimeCorrection,
)
from shared.auth import Caller
from shared.clock import now, today, zone
from shared.db import as_system
from shared.refusals import wrong


async def brief_people(read: AsyncSession, ids: Collection[UUID | None], *, numbers: bool = False) -> dict[UUID, PersonBrief]:
    """Name and department of these people; `numbers` where people of one name must be told apart."""
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    asked = select(KnownPerson.id, KnownPerson.name, KnownPerson.number, KnownDepartment.name)
    found = await read.execute(
        asked.outerjoin(KnownDepartment, KnownDepartment.id == KnownPerson.department_id).where(KnownPerson.id.in_(wanted))
    )
    return {
        person_id: PersonBrief(id=person_id, name=name, number=number if numbers else None, department=department)
        for person_id, name, number, department in found
    }


def brief(people: Mapping[UUID, PersonBrief], person_id: UUID) -> PersonBrief:
    """This person among those asked for; one whose record is gone has no name any more."""
    return people.get(person_id) or PersonBrief(id=person_id, name="")


async def must_be_here(read: AsyncSession, **fields: Collection[UUID | None]) -> None:
    """422 `unknown_id` at the fields that name somebody who is not here, or has left."""
    wanted = {one for ids in fields.values() for one in ids if one}
    if not wanted:
        return
    here = or_(KnownPerson.left_on.is_(None), KnownPerson.left_on > today())
    found = set(await read.scalars(select(KnownPerson.id).where(KnownPerson.id.in_(wanted), here)))
    for field, ids in fields.items():
        if any(one and one not in found for one in ids):
            raise wrong(field, "unknown_id")


def reason_told(row: Assignment, caller: Caller) -> str | None:
    """The reason of an assignment, where this caller may read it. Reasons are typed words, and often of somebody's health: the person reads
    them, and whoever puts people on shifts."""
    return row.reason if _may_read_reasons(row, caller) else None


def _may_read_reasons(row: Assignment, caller: Caller) -> bool:
    return caller.reach("assignment.confirm").everything or row.person_id == caller.person_id


def assignment_shown(row: Assignment, people: Mapping[UUID, PersonBrief], caller: Caller) -> AssignmentShown:
    """An assignment with the person's name, and the reasons where this caller may read them."""
    told = _may_read_reasons(row, caller)
    return AssignmentShown(
        id=row.id,
        shift_id=row.shift_id,
        person=brief(people, row.person_id),
        role=row.role,
        state=row.state,  # type: ignore[arg-type]
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        walk_on=row.walk_on,
        late=row.late,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        reason=row.reason if told else None,
        override_reason=row.override_reason if told else None,
        override_by=row.override_by_name if told else None,
        checked_in_at=row.checked_in_at,
        checked_out_at=row.checked_out_at,
        version=row.version,
    )


def correction_shown(row: TimeCorrection, caller: Caller) -> CorrectionShown:
    """A correction with its reason, where this caller may read it: whoever reaches but some assignments is on them or leads there."""
    told = not caller.reach("assignment.read").everything
    told = told or any(caller.reach(action).everything for action in ("assignment.confirm", "attendance.record"))
    return CorrectionShown(
        old_checked_in_at=row.old_checked_in_at,
        old_checked_out_at=row.old_checked_out_at,
        checked_in_at=row.checked_in_at,
        checked_out_at=row.checked_out_at,
        reason=row.reason if told else None,
        corrected_by=row.corrected_by_name,
        corrected_at=row.corrected_at,
    )


def local_day(moment: Any) -> ColumnElement[date]:
    """The local day of an instant, in SQL."""
    return cast(func.timezone(zone().key, moment), Date)


def count_where(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows of a group are so."""
    return func.count().filter(*conditions)


async def operation_rows(read: AsyncSession, rows: Sequence[Operation]) -> list[OperationRow]:
    """Operations as a list shows them."""
    ids = [row.id for row in rows]
    sites = select(Site.operation_id, func.count()).where(Site.operation_id.in_(ids)).group_by(Site.operation_id)
    standing = Shift.operation_id.in_(ids), Shift.state != "cancelled"
    shifts = select(Shift.operation_id, func.count()).where(*standing).group_by(Shift.operation_id)
    site_counts = {row[0]: row[1] for row in await read.execute(sites)}
    shift_counts = {row[0]: row[1] for row in await read.execute(shifts)}
    return [
        OperationRow.model_validate({**_plain(row), "site_count": site_counts.get(row.id, 0), "shift_count": shift_counts.get(row.id, 0)})
        for row in rows
    ]


def _plain(row: Operation) -> dict[str, Any]:
    names = ("id", "name", "kind", "place", "partner", "from_on", "until_on", "requirement", "state", "version", "bring", "note")
    return {name: getattr(row, name) for name in names}


async def operation_shown(read: AsyncSession, row: Operation) -> OperationShown:
    """An operation with its sites and days. How many hold a place is no secret; who they are is."""
    sites = list(await read.scalars(select(Site).where(Site.operation_id == row.id).order_by(Site.place_in_list, Site.id)))
    people = await brief_people(read, {site.leader_id for site in sites})
    standing = Shift.operation_id == row.id, Shift.state != "cancelled"
    on = local_day(Shift.starts_at).label("on")
    made = select(Shift.site_id, on, func.count()).where(*standing).group_by(Shift.site_id, on)
    by_site: Counter[UUID] = Counter()
    by_day: Counter[date] = Counter()
    for site_id, day, count in await read.execute(made):
        by_site[site_id] += count
        by_day[day] += count
    places = select(on, func.sum(ShiftRole.head_count)).join(ShiftRole, ShiftRole.shift_id == Shift.id).where(*standing).group_by(on)
    place_counts = {row[0]: row[1] for row in await read.execute(places)}
    held, proposed = (
        count_where(Assignment.state.in_(HOLDS_PLACE), Assignment.state != "proposed"),
        count_where(Assignment.state == "proposed"),
    )
    async with as_system(read):
        asked = select(on, held, proposed).join(Assignment, Assignment.shift_id == Shift.id).where(*standing).group_by(on)
        covered = {day: (one, other) for day, one, other in await read.execute(asked)}
    return OperationShown(
        **_plain(row),
        site_count=len(sites),
        shift_count=by_site.total(),
        sites=[
            SiteShown(
                id=site.id,
                operation_id=row.id,
                name=site.name,
                address=site.address,
                leader=brief(people, site.leader_id) if site.leader_id else None,
                shift_count=by_site[site.id],
                version=site.version,
            )
            for site in sites
        ],
        days=[
            DayShown(
                on=day,
                shift_count=by_day[day],
                place_count=place_counts.get(day, 0),
                held_count=covered.get(day, (0, 0))[0],
                proposed_count=covered.get(day, (0, 0))[1],
            )
            for day in days_between(row.from_on, row.until_on)
        ],
    )


async def place_of(read: AsyncSession, row: Shift, site_id: UUID | None = None) -> tuple[Operation, Site] | None:
    """The operation of a shift and its site, or another site of the same operation; nothing if it has no such site."""
    wanted = select(Operation, Site).join(Site, Site.operation_id == Operation.id)
    found = (await read.execute(wanted.where(Operation.id == row.operation_id, Site.id == (site_id or row.site_id)))).one_or_none()
    return (found[0], found[1]) if found else None


async def shift_shown(read: AsyncSession, row: Shift, caller: Caller, place: tuple[Operation, Site] | None = None) -> ShiftShown:
    """A shift as this caller may see it: how many hold a place is no secret, who they are is. `place`: where it is known already."""
    place = place or await place_of(read, row)
    assert place, "a shift without its site"
    operation, site = place
    taken, proposed = count_where(Assignment.state.in_(HOLDS_PLACE)), count_where(Assignment.state == "proposed")
    held = and_(Assignment.shift_id == ShiftRole.shift_id, Assignment.role == ShiftRole.name)
    counted = select(ShiftRole.name, ShiftRole.head_count, taken, proposed).outerjoin(Assignment, held)
    async with as_system(read):
        by_role = counted.where(ShiftRole.shift_id == row.id).group_by(ShiftRole.name, ShiftRole.head_count, ShiftRole.place_in_list)
        roles = (await read.execute(by_role.order_by(ShiftRole.place_in_list))).all()
    on_it = select(Assignment).where(Assignment.shift_id == row.id).order_by(Assignment.role, Assignment.asked_at, Assignment.id)
    assignments = list(await read.scalars(on_it.execution_options(populate_existing=True)))
    people = await brief_people(read, {row.leader_id, *(one.person_id for one in assignments)})
    return ShiftShown(
        id=row.id,
        operation=OperationBrief.model_validate(operation),
        site=SiteBrief.model_validate(site),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        leader=brief(people, row.leader_id) if row.leader_id else None,
        signup=row.signup,
        bring=row.bring,
        state=row.state,  # type: ignore[arg-type]
        reason=row.reason,
        roles=[RoleShown(name=one[0], head_count=one[1], taken_count=one[2], proposed_count=one[3]) for one in roles],
        assignments=[assignment_shown(one, people, caller) for one in assignments],
        may_change=caller.reach("operation.change").everything and row.state != "cancelled" and row.ends_at > now(),
        version=row.version,
    )


async def unfit_of(read: AsyncSession, rule: str | None, wanted: Sequence[tuple[UUID, datetime, datetime]]) -> list[bool]:
    """Of each person and time: whether the rule set forbids it, by what personnel told. Who was never told of is not fit."""
    if rule is None or not wanted:
        return [False] * len(wanted)
    asked = select(KnownFitness.person_id, KnownFitness.fit_from, KnownFitness.fit_until).where(KnownFitness.rule == rule)
    async with as_system(read):
        found = await read.execute(asked.where(KnownFitness.person_id.in_({one[0] for one in wanted})))
    known = {person_id: (fit_from, fit_until) for person_id, fit_from, fit_until in found}
    return [not is_fit(*known.get(person_id, (None, None)), starts_at, ends_at) for person_id, starts_at, ends_at in wanted]
