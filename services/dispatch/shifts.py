"""Shifts: shown, changed, moved and cancelled; whoever is on one that moves is told, and asked again."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import select

from services.dispatch.acts import hold_shift, release_assignments, tell_cancelled, tell_shifts
from services.dispatch.moves import move_people
from services.dispatch.places import close_places, set_head_counts
from services.dispatch.reads import must_be_here, place_of, shift_shown
from services.dispatch.rules.patterns import day_bounds, forbidden_span
from services.dispatch.shapes import RoleChanges, ShiftId, ShiftShown
from services.dispatch.tables import Operation, Shift
from shared.auth import Caller, require
from shared.clock import now, zone
from shared.db import Read, Tx
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.web import Body, Note, Version

shifts = Slice(prefix="/shifts", tags=["shifts"])


class ShiftWish(Body):
    """What to change; a field that is not sent stays as it is, null empties it. Other times or another site move the shift. `roles`: so
    many places have these roles from now on, none where a role is not needed any more; a new name is a role more, and a role that is not
    named stays as it is."""

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    site_id: UUID | None = None
    signup: bool | None = None
    leader_id: UUID | None = None
    bring: Note | None = None
    reason: Note | None = None
    roles: RoleChanges | None = None
    version: Version

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {
                "starts_at": "2021-08-05T13:00:00+08:00",
                "ends_at": "2021-08-05T17:00:00+08:00",
                "reason": "雷雨",
                "roles": [{"name": "信息登记", "head_count": 4}],
                "version": 1,
            }
        }
    }


class Cancellation(Body):
    """Why the shift is cancelled; everybody on it is told."""

    reason: Note

    model_config = Body.model_config | {"json_schema_extra": {"example": {"reason": "雷雨，采样改在次日"}}}


@shifts.get("/{shift_id}")
async def show_shift(shift_id: ShiftId, caller: Annotated[Caller, require("operation.read")], read: Read) -> ShiftShown:
    """A shift with the assignments that the caller may see. Refused: `not_found`."""
    row = await read.scalar(select(Shift).where(Shift.id == shift_id))
    if row is None:
        raise Refused("not_found", 404)
    return await shift_shown(read, row, caller)


@shifts.patch("/{shift_id}")
async def change_shift(shift_id: ShiftId, wish: ShiftWish, caller: Annotated[Caller, require("operation.change")], tx: Tx) -> ShiftShown:
    """Change a shift. When it moves, everybody on it is told the old and the new times: whoever still can is asked again, whoever cannot
    is released and leaves an open place; those already there stay when only its end moves. A role is given more places until the shift
    ends, also while it runs, and fewer down to those that somebody holds, or none. Refused: `changed_meanwhile`, `not_found`,
    `cancelled_already`, `over_already`, `begun_already`, `overlap` (somebody already there is needed elsewhere), `made_already`, `busy`;
    422 `ends_before_start`, `shift_too_long`, `in_the_past`, `outside_operation`, `unknown_id`, `named_twice`, `too_many_roles`,
    `places_held` (at `roles.0.head_count`, with how many), `nobody_needed` (no role would be left: cancel the shift)."""
    row, assignments = await hold_shift(tx, shift_id)
    if row.version != wish.version:
        raise Refused("changed_meanwhile", 409, {"current": (await shift_shown(tx, row, caller)).model_dump(mode="json")})
    _must_be_to_come(row)
    given = wish.model_dump(exclude_unset=True, exclude={"version"})
    for field in ("starts_at", "ends_at", "site_id", "signup", "roles"):
        if field in given and given[field] is None:
            raise wrong(field, "required")
    if given.get("leader_id") not in (None, row.leader_id):
        await must_be_here(tx, leader_id=[given["leader_id"]])
    old = (row.starts_at, row.ends_at, row.site_id)
    new = tuple(given.get(field, value) for field, value in zip(("starts_at", "ends_at", "site_id"), old, strict=True))
    place = await place_of(tx, row, new[2])
    if place is None:
        raise wrong("site_id", "unknown_id")
    if new != old:
        _check_move(row, place[0], *new, begun=any(one.state == "checked_in" for one in assignments))
    for field, value in given.items():
        if field != "roles":
            setattr(row, field, value)
    row.version += 1
    await tx.flush()
    if new != old and assignments:
        await move_people(tx, row, place, assignments, old[0], old[1])
    if wish.roles:
        await set_head_counts(tx, row, wish.roles)
    await tell_shifts(tx, [row], {row.id: (place[0].name, place[1].name)})
    return await shift_shown(tx, row, caller, place)


@shifts.post("/{shift_id}/cancellation")
async def cancel_shift(shift_id: ShiftId, wish: Cancellation, caller: Annotated[Caller, require("operation.change")], tx: Tx) -> ShiftShown:
    """Cancel a shift: everybody on it is released and told, nobody is looked for instead. Refused: `cancelled_already`, `over_already`,
    `not_found`, `busy`."""
    row, assignments = await hold_shift(tx, shift_id)
    _must_be_to_come(row)
    place = await place_of(tx, row)
    assert place, "a shift without its site"
    row.state, row.reason = "cancelled", wish.reason
    row.version += 1
    await release_assignments(tx, assignments, "cancelled", reason=wish.reason)
    await close_places(tx, row.id)
    named = {row.id: (place[0].name, place[1].name)}
    await tell_shifts(tx, [row], named)
    tell_cancelled(tx, [row], named, assignments)
    return await shift_shown(tx, row, caller, place)


def _must_be_to_come(row: Shift) -> None:
    if row.state == "cancelled":
        raise Refused("cancelled_already", 409)
    if row.ends_at <= now():
        raise Refused("over_already", 409)


def _check_move(row: Shift, operation: Operation, starts_at: datetime, ends_at: datetime, site_id: UUID, *, begun: bool) -> None:
    if begun and (starts_at, site_id) != (row.starts_at, row.site_id):
        raise Refused("begun_already", 409)
    if forbidden := forbidden_span(starts_at, ends_at):
        raise wrong("ends_at", forbidden)
    if ends_at <= now():
        raise wrong("ends_at", "in_the_past")
    if not day_bounds(operation.from_on, zone())[0] <= starts_at < day_bounds(operation.until_on, zone())[1]:
        raise wrong("starts_at", "outside_operation")
