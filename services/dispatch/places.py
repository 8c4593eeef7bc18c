"""The places of a shift's roles: more of them at any time before it ends, fewer only down to those that somebody holds."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.shapes import MOST_ROLES, RoleChange
from services.dispatch.tables import HOLDS_PLACE, Assignment, OpenPlace, Shift, ShiftRole
from shared.clock import now
from shared.db import as_system
from shared.events import PlaceClosed
from shared.messaging.outbox import publish
from shared.refusals import FieldError, Refused, wrong


async def set_head_counts(tx: AsyncSession, shift: Shift, wishes: Sequence[RoleChange]) -> None:
    """Give these roles so many places; a name that the shift has not yet is a role more. Its row is held, so that nobody takes a place
    meanwhile. A place that somebody fell out of and that is there no longer waits for nobody. A role of which no places are left stays
    for whoever was asked for it once. Refused: 422 `places_held`, `too_many_roles`, `too_small` (a role more, for nobody),
    `nobody_needed`."""
    counted = select(func.count()).where(Assignment.shift_id == ShiftRole.shift_id, Assignment.role == ShiftRole.name)
    taken = counted.where(Assignment.state.in_(HOLDS_PLACE)).correlate(ShiftRole).scalar_subquery()
    async with as_system(tx):
        rows = (await tx.execute(select(ShiftRole, taken).where(ShiftRole.shift_id == shift.id))).all()
    roles, held = {row[0].name: row[0] for row in rows}, {row[0].name: row[1] for row in rows}
    fewer, below = {}, []
    for place, wish in enumerate(wishes):
        before = roles.get(wish.name)
        if before is None or wish.head_count >= before.head_count:
            continue
        if wish.head_count < held[wish.name]:
            below.append(FieldError(f"roles.{place}.head_count", "places_held", {"held_count": held[wish.name]}))
        fewer[wish.name] = wish.head_count - held[wish.name]
    if below:
        raise Refused("invalid", 422, errors=below)
    fresh = [one for one in wishes if one.name not in roles]
    none = [place for place, one in enumerate(wishes) if not one.head_count]
    if new := [place for place in none if wishes[place].name not in roles]:
        raise wrong(f"roles.{new[0]}.head_count", "too_small", ge=1)
    if none and not any(({name: one.head_count for name, one in roles.items()} | {one.name: one.head_count for one in wishes}).values()):
        raise wrong(f"roles.{none[0]}.head_count", "nobody_needed")
    if len(roles) + len(fresh) > MOST_ROLES:
        raise wrong("roles", "too_many_roles", most=MOST_ROLES)
    last = max((one.place_in_list for one in roles.values()), default=-1)
    for wish in wishes:
        if wish.name in roles:
            roles[wish.name].head_count = wish.head_count
    tx.add_all(
        ShiftRole(shift_id=shift.id, name=one.name, head_count=one.head_count, place_in_list=place)
        for place, one in enumerate(fresh, last + 1)
    )
    await tx.flush()
    if fewer:
        await _close_surplus(tx, shift.id, fewer)


async def close_places(tx: AsyncSession, *shift_ids: UUID) -> None:
    """Nobody is needed any more for the open places of these shifts; told."""
    await _close(tx, OpenPlace.shift_id.in_(shift_ids))


async def _close_surplus(tx: AsyncSession, shift_id: UUID, free: Mapping[str, int]) -> None:
    """Of the open places of a shift's roles as many stay as places are `free` there, those open longest; the others are closed; told."""
    ranked = func.row_number().over(partition_by=OpenPlace.role, order_by=(OpenPlace.opened_at, OpenPlace.assignment_id))
    of_role = select(OpenPlace.assignment_id, OpenPlace.role, ranked.label("place"))
    open_ones = of_role.where(OpenPlace.shift_id == shift_id, OpenPlace.state == "open", OpenPlace.role.in_(free)).subquery()
    beyond = or_(*(and_(open_ones.c.role == role, open_ones.c.place > count) for role, count in free.items()))
    await _close(tx, OpenPlace.assignment_id.in_(select(open_ones.c.assignment_id).where(beyond)))


async def _close(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    shut = update(OpenPlace).where(which, OpenPlace.state == "open").values(state="closed", closed_at=now())
    async with as_system(tx):
        told = shut.returning(OpenPlace.assignment_id, OpenPlace.shift_id).execution_options(synchronize_session=False)
        closed = (await tx.execute(told)).all()
    for assignment_id, shift_id in sorted(closed):
        publish(tx, PlaceClosed(assignment_id=assignment_id, shift_id=shift_id))
