"""Rows with the events that tell of them, as several slices write them: shifts and assignments told, people held and released."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.tables import OPEN_STATES, Assignment, OpenPlace, Operation, Shift, Site
from shared.bookings import hold_time_if_free, hold_time_of, release
from shared.clock import now
from shared.db import as_system
from shared.events import PEOPLE_IN_ONE, AssignmentsChanged, AssignmentState, PlaceOpened, ShiftsChanged, ShiftState
from shared.messaging.outbox import publish_all
from shared.refusals import Refused

Because = Literal["declined", "left", "unfit", "unavailable", "duty", "released", "cancelled"]
MOST_CANDIDATES = 20


async def tell_shifts(tx: AsyncSession, shifts: Sequence[Shift]) -> None:
    """Tell how these shifts stand, in events of 200."""
    named = await _names(tx, {one.id for one in shifts})
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
    await publish_all(tx, [ShiftsChanged(shifts=states[i : i + PEOPLE_IN_ONE]) for i in range(0, len(states), PEOPLE_IN_ONE)])


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
    await publish_all(tx, [AssignmentsChanged(assignments=states[i : i + PEOPLE_IN_ONE]) for i in range(0, len(states), PEOPLE_IN_ONE)])


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
    because: Because,
    *,
    reason: str | None = None,
    candidates: Mapping[UUID, Sequence[UUID]] | None = None,
) -> None:
    """Take these people off their shifts: their time is given back, each leaves an open place, and all of it is told. Their time and
    their shifts are held by the caller. `candidates`: by assignment, whom to ask instead, the best first. A shift that is over or
    `cancelled` needs nobody instead."""
    if not assignments:
        return
    booked = [one.id for one in assignments if one.state in OPEN_STATES]
    for one in assignments:
        one.state = "declined" if because == "declined" else "released"
        one.reason = reason if reason is not None else one.reason
        one.answered_at = now()
        one.version += 1
    await tx.flush()
    await release(tx, *booked)
    await tell_assignments(tx, assignments)
    gone = [one for one in assignments if one.ends_at > now()]
    if because != "cancelled" and gone:
        await _open_places(tx, gone, because, candidates or {})


async def _open_places(tx: AsyncSession, gone: Sequence[Assignment], because: Any, candidates: Mapping[UUID, Sequence[UUID]]) -> None:
    assert because in get_args(Because)
    rows = [
        {
            "assignment_id": one.id,
            "shift_id": one.shift_id,
            "person_id": one.person_id,
            "role": one.role,
            "because": because,
            "state": "open",
            "opened_at": now(),
        }
        for one in gone
    ]
    await tx.execute(insert(OpenPlace), rows)
    named = await _names(tx, {one.shift_id for one in gone})
    await publish_all(
        tx,
        [
            PlaceOpened(
                assignment_id=one.id,
                shift_id=one.shift_id,
                operation_name=named[one.shift_id][0],
                site_name=named[one.shift_id][1],
                role=one.role,
                person_id=one.person_id,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                because=because,
                candidate_ids=list(candidates.get(one.id, ()))[:MOST_CANDIDATES],
            )
            for one in gone
        ],
    )


async def close_places(tx: AsyncSession, shift_id: UUID) -> None:
    """Nobody is needed any more for the open places of a shift."""
    async with as_system(tx):
        shut = update(OpenPlace).where(OpenPlace.shift_id == shift_id, OpenPlace.state == "open")
        await tx.execute(shut.values(state="closed", closed_at=now()).execution_options(synchronize_session=False))
