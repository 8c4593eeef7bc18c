"""Rows with the events that tell of them, as several slices write them: shifts and assignments told, people held and released."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.ranking import Vacancy, shortlists
from services.dispatch.tables import OPEN_STATES, Assignment, OpenPlace, Operation, Shift, ShiftRole, Site, Team
from shared.bookings import hold_time_if_free, hold_time_of, release
from shared.clock import now
from shared.db import as_system
from shared.due import later_all
from shared.events import (
    PEOPLE_IN_ONE,
    AssignmentsChanged,
    AssignmentState,
    PlaceFilled,
    PlaceOpened,
    ShiftCancelled,
    ShiftsChanged,
    ShiftState,
    TeamsChanged,
    TeamState,
)
from shared.messaging.outbox import publish
from shared.refusals import Refused

Because = Literal["declined", "left", "unfit", "unavailable", "duty", "released", "cancelled", "taken_back"]
SILENT = frozenset({"cancelled", "taken_back"})  # nobody is looked for instead
MOST_CANDIDATES = 20
BEGINNING = "shift.beginning"


def fresh_code() -> str:
    """What a site's QR code carries: nobody guesses it from afar."""
    return secrets.token_urlsafe(9)


def tell_team(tx: AsyncSession, row: Team, member_ids: Collection[UUID]) -> None:
    """Tell how a team stands, and who is in it."""
    state = TeamState(
        id=row.id,
        name=row.name,
        leader_id=row.leader_id,
        deputy_id=row.deputy_id,
        member_ids=sorted(member_ids),
        version=row.version,
    )
    publish(tx, TeamsChanged(teams=[state]))


async def make_shifts(
    tx: AsyncSession,
    operation: Operation,
    planned: Sequence[tuple[Site, datetime, datetime]],
    roles: Sequence[tuple[str, int]],
    *,
    signup: bool,
) -> list[Shift]:
    """Shifts at these sites and times, led by whoever leads the site, each with these roles; told. A time that a site has already breaks
    `made_already`."""
    shifts = [
        Shift(
            id=uuid4(),
            operation_id=operation.id,
            site_id=site.id,
            starts_at=starts_at,
            ends_at=ends_at,
            leader_id=site.leader_id,
            signup=signup,
            state=operation.state,
            version=1,
        )
        for site, starts_at, ends_at in planned
    ]
    needs = [
        {"shift_id": shift.id, "name": name, "head_count": head_count, "place_in_list": place}
        for shift in shifts
        for place, (name, head_count) in enumerate(roles)
    ]
    await add_shifts(
        tx, shifts, needs, {shift.id: (operation.name, site.name) for shift, (site, _, _) in zip(shifts, planned, strict=True)}
    )
    return shifts


async def add_shifts(
    tx: AsyncSession, shifts: Sequence[Shift], needs: Sequence[Mapping[str, Any]], named: Mapping[UUID, tuple[str, str]]
) -> None:
    """Put new shifts with the rows of their roles there, and tell of them; `named`: operation and site of each."""
    if not shifts:
        return
    tx.add_all(shifts)
    await tx.flush()
    await tx.execute(insert(ShiftRole), [dict(one) for one in needs])
    await tell_shifts(tx, shifts, named)


async def tell_shifts(tx: AsyncSession, shifts: Sequence[Shift], named: Mapping[UUID, tuple[str, str]] | None = None) -> None:
    """Tell how these shifts stand, in events of 200; `named`: operation and site of each, where they are known already."""
    named = named if named is not None else await _names(tx, {one.id for one in shifts})
    states = [
        ShiftState(
            id=one.id,
            operation_id=one.operation_id,
            operation_name=named[one.id][0],
            site_id=one.site_id,
            site_name=named[one.id][1],
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            leader_id=one.leader_id,
            state=one.state,  # type: ignore[arg-type]
            version=one.version,
        )
        for one in shifts
    ]
    for i in range(0, len(states), PEOPLE_IN_ONE):
        publish(tx, ShiftsChanged(shifts=states[i : i + PEOPLE_IN_ONE]))


async def _names(tx: AsyncSession, shift_ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """The names of the operation and the site of each shift."""
    if not shift_ids:
        return {}
    await tx.flush()
    wanted = select(Shift.id, Operation.name, Site.name).join(Site, Site.id == Shift.site_id)
    async with as_system(tx):
        found = await tx.execute(wanted.join(Operation, Operation.id == Shift.operation_id).where(Shift.id.in_(shift_ids)))
    return {shift_id: (operation, site) for shift_id, operation, site in found}


async def tell_assignments(tx: AsyncSession, assignments: Sequence[Assignment]) -> None:
    """Tell how these assignments stand, and see to it that who is not there at the beginning is marked late."""
    await watch_beginnings(tx, assignments)
    publish_assignments(tx, assignments)


def publish_assignments(tx: AsyncSession, assignments: Sequence[Assignment], *, retold: bool = False) -> None:
    """Tell how these assignments stand, in events of 200."""
    states = [
        AssignmentState(
            id=one.id,
            shift_id=one.shift_id,
            person_id=one.person_id,
            role=one.role,
            state=one.state,  # type: ignore[arg-type]
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            version=one.version,
        )
        for one in assignments
    ]
    for i in range(0, len(states), PEOPLE_IN_ONE):
        publish(tx, AssignmentsChanged(assignments=states[i : i + PEOPLE_IN_ONE], retold=retold))


async def watch_beginnings(tx: AsyncSession, assignments: Sequence[Assignment]) -> None:
    """When a shift begins, whoever is not there is marked late: one due row a shift, which moves with it."""
    coming = {str(one.shift_id): one.starts_at for one in assignments if one.state in ("proposed", "confirmed") and one.starts_at > now()}
    await later_all(tx, BEGINNING, coming)


async def held_operation(tx: AsyncSession, operation_id: UUID) -> Operation:
    """An operation that is to be changed, its row held until the transaction ends. Refused: `not_found`, `ended_already`."""
    row = await tx.scalar(select(Operation).where(Operation.id == operation_id).with_for_update())
    if row is None:
        raise Refused("not_found", 404)
    if row.state == "ended":
        raise Refused("ended_already", 409)
    return row


async def hold_shift(tx: AsyncSession, shift_id: UUID) -> tuple[Shift, list[Assignment]]:
    """A shift and everybody who is on it or still to come, held until the transaction ends: first their time, then the shift's row.
    Refused: `not_found`, `busy` when somebody who came on meanwhile is being booked elsewhere in this instant."""
    async with as_system(tx):
        on_it = select(Assignment).where(Assignment.shift_id == shift_id, Assignment.state.in_(OPEN_STATES))
        held = set(await tx.scalars(on_it.with_only_columns(Assignment.person_id)))
        if held:
            await hold_time_of(tx, *held)
        shift = await tx.scalar(select(Shift).where(Shift.id == shift_id).with_for_update())
        if shift is None:
            raise Refused("not_found", 404)
        assignments = list(await tx.scalars(on_it.order_by(Assignment.asked_at, Assignment.id)))
    came = {one.person_id for one in assignments} - held
    if came and not await hold_time_if_free(tx, *came):  # to wait for a person while holding the shift could be a ring
        raise Refused("busy", 409)
    return shift, assignments


async def release_assignments(
    tx: AsyncSession,
    assignments: Sequence[Assignment],
    because: Because | Mapping[UUID, Because],
    *,
    reason: str | None = None,
    candidates: Mapping[UUID, Sequence[UUID]] | None = None,
) -> None:
    """Take these people off their shifts: their time is given back, each leaves an open place, and all of it is told. Their time and
    their shifts are held by the caller. `because`: of all, or by assignment. `candidates`: by assignment, whom to ask instead, the best
    first. A shift that is over or `cancelled` needs nobody instead, and a sign-up
    `taken_back` leaves the shift as it was."""
    if not assignments:
        return
    why = because if isinstance(because, Mapping) else dict.fromkeys((one.id for one in assignments), because)
    booked = [one.id for one in assignments if one.state in OPEN_STATES]
    for one in assignments:
        one.state = "declined" if why[one.id] == "declined" else "released"
        one.reason = reason if reason is not None else one.reason
        one.answered_at = now()
        one.version += 1
    await tx.flush()
    await release(tx, *booked)
    await tell_assignments(tx, assignments)
    gone = [one for one in assignments if one.ends_at > now() and why[one.id] not in SILENT]
    if gone:
        await _open_places(tx, gone, why, candidates if candidates is not None else await _instead(tx, gone))


async def _instead(tx: AsyncSession, gone: Sequence[Assignment]) -> dict[UUID, list[UUID]]:
    """By assignment, whom to ask in the place of who fell out of it."""
    wanted = select(Shift.id, Operation.requirement).join(Operation, Operation.id == Shift.operation_id)
    async with as_system(tx):
        rules = {row[0]: row[1] for row in await tx.execute(wanted.where(Shift.id.in_({one.shift_id for one in gone})))}
    places = [Vacancy(one.id, one.shift_id, rules[one.shift_id], one.starts_at, one.ends_at, one.person_id) for one in gone]
    found = await shortlists(tx, places, MOST_CANDIDATES)
    return {key: [one.person_id for one in best] for key, best in found.items()}


async def _open_places(
    tx: AsyncSession, gone: Sequence[Assignment], why: Mapping[UUID, Any], candidates: Mapping[UUID, Sequence[UUID]]
) -> None:
    rows = [
        {
            "assignment_id": one.id,
            "shift_id": one.shift_id,
            "person_id": one.person_id,
            "role": one.role,
            "because": why[one.id],
            "state": "open",
            "opened_at": now(),
        }
        for one in gone
    ]
    await tx.execute(insert(OpenPlace), rows)
    named = await _names(tx, {one.shift_id for one in gone})
    for one in gone:
        publish(
            tx,
            PlaceOpened(
                assignment_id=one.id,
                shift_id=one.shift_id,
                operation_name=named[one.shift_id][0],
                site_name=named[one.shift_id][1],
                role=one.role,
                person_id=one.person_id,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                because=why[one.id],
                candidate_ids=list(candidates.get(one.id, ()))[:MOST_CANDIDATES],
            ),
        )


async def hold_assignment(tx: AsyncSession, assignment_id: UUID) -> tuple[Shift, Assignment]:
    """An assignment that the caller may see, with its shift, held until the transaction ends: first the person's time, then the shift,
    then the rest. Refused: `not_found`."""
    found = await tx.scalar(select(Assignment).where(Assignment.id == assignment_id))
    if found is None:
        raise Refused("not_found", 404)
    await hold_time_of(tx, found.person_id)
    shift = (await tx.scalars(select(Shift).where(Shift.id == found.shift_id).with_for_update())).one()
    await tx.refresh(found)
    return shift, found


async def fill_places(tx: AsyncSession, placed: Sequence[Assignment], first: UUID | None = None) -> None:
    """Whoever came on a role takes the place that has been open longest there, or `first`; each is told."""
    if not placed:
        return
    wanted = select(OpenPlace).where(OpenPlace.shift_id.in_({one.shift_id for one in placed}), OpenPlace.state == "open")
    async with as_system(tx):
        fresh = wanted.order_by(OpenPlace.assignment_id != first, OpenPlace.opened_at, OpenPlace.assignment_id)
        still = list(await tx.scalars(fresh.execution_options(populate_existing=True)))
    for one in placed:
        place = next((it for it in still if (it.shift_id, it.role) == (one.shift_id, one.role)), None)
        if place is not None:
            still.remove(place)
            place.state, place.filled_by, place.closed_at = "filled", one.person_id, now()
            publish(tx, PlaceFilled(assignment_id=place.assignment_id, shift_id=one.shift_id, person_id=one.person_id))
    await tx.flush()


def tell_cancelled(
    tx: AsyncSession, shifts: Sequence[Shift], named: Mapping[UUID, tuple[str, str]], assignments: Sequence[Assignment]
) -> None:
    """Whoever was on one of these shifts hears that it was cancelled, and why."""
    for shift in shifts:
        people = [one.person_id for one in assignments if one.shift_id == shift.id]
        if people:
            operation, site = named[shift.id]
            times = {"starts_at": shift.starts_at, "ends_at": shift.ends_at}
            told = {"shift_id": shift.id, "operation_name": operation, "site_name": site, "person_ids": people, "reason": shift.reason}
            publish(tx, ShiftCancelled.model_validate(told | times))
