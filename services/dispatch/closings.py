"""An operation that ends early: all that has not begun is called off at once, and whoever was to come is told why."""

from typing import Annotated

from sqlalchemy import select, update

from services.dispatch.acts import held_operation, release_assignments, tell_cancelled, tell_shifts
from services.dispatch.places import close_places
from services.dispatch.reads import operation_shown
from services.dispatch.shapes import OperationId, OperationShown, Why
from services.dispatch.tables import OPEN_STATES, Assignment, Shift, Site
from shared.auth import Caller, require
from shared.bookings import hold_time_if_free, hold_time_of
from shared.clock import now, today
from shared.db import Tx, as_system
from shared.refusals import Refused
from shared.service import Slice

closings = Slice(prefix="/operations", tags=["operations"])


@closings.post("/{operation_id}/closing")
async def close_operation(
    operation_id: OperationId, wish: Why, caller: Annotated[Caller, require("operation.change")], tx: Tx
) -> OperationShown:
    """End an operation: each of its shifts that has not begun is cancelled, everybody on them is released and told why, nobody is looked
    for instead; what runs goes on. It has ended from now on: nothing is added to it any more. Its last day is today, or its first day if
    that is to come. Refused: `not_found`, `ended_already`, `busy`."""
    to_come = (Shift.operation_id == operation_id, Shift.state != "cancelled", Shift.starts_at > now())
    on_them = select(Assignment).join(Shift, Shift.id == Assignment.shift_id).where(*to_come, Assignment.state.in_(OPEN_STATES))
    async with as_system(tx):
        held = set(await tx.scalars(on_them.with_only_columns(Assignment.person_id)))
    if held:
        await hold_time_of(tx, *held)  # people before shifts, as everywhere
    row = await held_operation(tx, operation_id)
    await tx.execute(select(Shift.id).where(*to_come).order_by(Shift.id).with_for_update())
    async with as_system(tx):
        assignments = list(await tx.scalars(on_them.order_by(Assignment.asked_at, Assignment.id)))
    came = {one.person_id for one in assignments} - held
    if came and not await hold_time_if_free(tx, *came):
        raise Refused("busy", 409)
    cancelled = update(Shift).where(*to_come).values(state="cancelled", reason=wish.reason, version=Shift.version + 1).returning(Shift)
    shifts = list(await tx.scalars(cancelled.execution_options(synchronize_session=False, populate_existing=True)))
    row.state, row.until_on = "ended", max(row.from_on, min(row.until_on, today()))
    row.version += 1
    await tx.flush()
    await release_assignments(tx, assignments, "cancelled", reason=wish.reason)
    await close_places(tx, *(one.id for one in shifts))
    sites = {row[0]: row[1] for row in await tx.execute(select(Site.id, Site.name).where(Site.operation_id == operation_id))}
    named = {one.id: (row.name, sites[one.site_id]) for one in shifts}
    await tell_shifts(tx, shifts, named)
    tell_cancelled(tx, shifts, named, assignments)
    return await operation_shown(tx, row)
