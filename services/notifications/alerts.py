"""Alerts: what others told that somebody has to see to, each to the ones who can; closed when it was seen to."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field
from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.acts import AlertWish, close_alert, open_alerts, tell_alerts
from services.notifications.reads import alert_waits, counts_of, holders_of, named, people_named
from services.notifications.shapes import AlertShown, DepartmentBrief, PersonBrief
from services.notifications.tables import Alert, AlertPerson, KnownDepartment, NoticeDepartment
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read, Tx, as_system
from shared.events import GapFilled, GapOpened, PlaceClosed, PlaceFilled, PlaceOpened, ShiftCancelled, ShiftMoved
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Listed, PageNo, PageSize

alerts = Slice(prefix="/alerts", tags=["alerts"])

AlertId = Annotated[UUID, Path(examples=[example_id("alert")])]


class AlertsListed(Listed[AlertShown]):
    """A page of alerts; `open_count` counts all that are open."""

    open_count: int = Field(examples=[1])


@alerts.on(GapOpened)
async def alert_of_gap(event: GapOpened, tx: AsyncSession) -> None:
    """A duty has nobody: the duty planners see to it."""
    instead_of, whom = await holders_of(tx, "duty_planner", "leader", "administrator")
    params = event.model_dump(mode="json", exclude={"gap_id"}) | {"gap_id": str(event.gap_id), "instead_of": instead_of}
    await open_alerts(tx, AlertWish("gap", str(event.gap_id), whom, params))


@alerts.on(GapFilled)
async def close_gap(event: GapFilled, tx: AsyncSession) -> None:
    """Somebody holds the duty."""
    await close_alert(tx, "gap", str(event.gap_id), event.person_id)


@alerts.on(PlaceOpened)
async def alert_of_place(event: PlaceOpened, tx: AsyncSession) -> None:
    """A shift has a place free: the coordinators see to it. Administrators, where there is nobody else, learn that it is free alone: why,
    and who is fit for it, is of people's health."""
    instead_of, whom = await holders_of(tx, "coordinator", "leader")
    params = event.model_dump(mode="json") | {"instead_of": instead_of}
    if not whom:
        whom, params = (await holders_of(tx, "administrator"))[1], params | {"because": None, "candidate_ids": []}
    await open_alerts(tx, AlertWish("place", str(event.assignment_id), whom, params))


@alerts.on(PlaceFilled)
async def close_place(event: PlaceFilled, tx: AsyncSession) -> None:
    """Somebody stands in."""
    await close_alert(tx, "place", str(event.assignment_id), event.person_id)


@alerts.on(PlaceClosed)
async def close_place_unneeded(event: PlaceClosed, tx: AsyncSession) -> None:
    """Nobody is looked for any more."""
    await close_alert(tx, "place", str(event.assignment_id), None)


@alerts.on(ShiftMoved)
async def alert_of_move(event: ShiftMoved, tx: AsyncSession) -> None:
    """Everyone on a shift that was moved is told the old and the new times."""
    ref = f"{event.shift_id}:{event.old_starts_at.isoformat()}:{event.old_ends_at.isoformat()}"
    ref += f":{event.starts_at.isoformat()}:{event.ends_at.isoformat()}"
    params = event.model_dump(mode="json", exclude={"person_ids"})
    await open_alerts(tx, AlertWish("shift_moved", ref, event.person_ids, params))


@alerts.on(ShiftCancelled)
async def alert_of_cancelled(event: ShiftCancelled, tx: AsyncSession) -> None:
    """Everyone on a shift that was cancelled is told why."""
    params = event.model_dump(mode="json", exclude={"person_ids"})
    await open_alerts(tx, AlertWish("shift_cancelled", str(event.shift_id), event.person_ids, params))


@alerts.get("/mine")
async def list_my_alerts(
    caller: Annotated[Caller, require("notice.read")],
    read: Read,
    open_: Annotated[bool, Query(alias="open", description="Only those not seen to yet, nor seen where seeing is all there is")] = True,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> AlertsListed:
    """Alerts for oneself, the latest first. Gaps, places and people missing are open until seen to; a shift that moved, until seen."""
    mine = AlertPerson.person_id == caller.person_id
    still = alert_waits()
    counted = select(func.count(), func.count().filter(still)).select_from(Alert).join(AlertPerson, AlertPerson.alert_id == Alert.id)
    total, open_count = (await read.execute(counted.where(mine))).one()
    wanted = select(Alert, AlertPerson.seen_at).join(AlertPerson, AlertPerson.alert_id == Alert.id).where(mine)
    if open_:
        wanted, total = wanted.where(still), open_count
    wanted = wanted.order_by(Alert.opened_at.desc(), Alert.id.desc()).limit(page_size).offset((page - 1) * page_size)
    rows = [(row.Alert, row.seen_at) for row in await read.execute(wanted)]
    items = await _shown(read, rows)
    return AlertsListed(items=items, total=total, page=page, page_size=page_size, open_count=open_count)


@alerts.post("/{alert_id}/seen", status_code=204)
async def see_alert(alert_id: AlertId, caller: Annotated[Caller, require("notice.read")], tx: Tx) -> None:
    """One has seen it; others it is for see it still. Twice is once. Refused: `not_found`."""
    row = await tx.get(AlertPerson, (caller.person_id, alert_id), with_for_update=True)
    if row is None:
        raise Refused("not_found", 404)
    if row.seen_at is None:
        row.seen_at = now()
        await tx.flush()
        await tell_alerts(tx, [row.person_id])


async def _shown(read: AsyncSession, rows: Sequence[tuple[Alert, Any]]) -> list[AlertShown]:
    """Alerts with the names of all whom they speak of, in three statements."""
    ids: set[UUID] = set()
    for row, _ in rows:
        ids.update(_ids(row, "candidate_ids"), _ids(row, "missing_ids"), (one for one in (_person(row), row.closed_by) if one))
    people = await people_named(read, ids)
    departments = {row.department_id for row, _ in rows if row.department_id}
    departments |= {UUID(one["id"]) for row, _ in rows for one in row.params.get("departments", ())}
    asked = select(KnownDepartment.id, KnownDepartment.name).where(KnownDepartment.id.in_(departments))
    names = {one.id: one.name for one in await read.execute(asked)} if departments else {}
    still = await _still_missing(read, {(row.notice_id, row.department_id) for row, _ in rows if row.notice_id})
    return [_alert(row, seen_at, people, names, still) for row, seen_at in rows]


async def _still_missing(read: AsyncSession, wanted: set[tuple[UUID, UUID | None]]) -> dict[tuple[UUID, UUID | None, str], int]:
    """How many are missing now, by notice, department (None: all) and kind; whoever has the alert was named to it, whatever their scope."""
    if not wanted:
        return {}
    whole = NoticeDepartment.notice_id.in_({notice_id for notice_id, department_id in wanted if department_id is None})
    some = tuple_(NoticeDepartment.notice_id, NoticeDepartment.department_id).in_([one for one in wanted if one[1] is not None])
    found: dict[tuple[UUID, UUID | None, str], int] = {}
    async with as_system(read):
        for row in await read.scalars(select(NoticeDepartment).where(or_(whole, some))):
            counts = counts_of(row)
            for kind, count in (("missing", counts.missing_count), ("not_done", counts.not_done_count)):
                for department_id in (row.department_id, None):
                    key = (row.notice_id, department_id, kind)
                    found[key] = found.get(key, 0) + count
    return found


def _ids(row: Alert, name: str) -> list[UUID]:
    return [UUID(one) for one in row.params.get(name, ())]


def _person(row: Alert) -> UUID | None:
    return UUID(row.params["person_id"]) if row.params.get("person_id") else None


def _alert(
    row: Alert,
    seen_at: Any,
    people: dict[UUID, PersonBrief],
    names: dict[UUID, str],
    still: dict[tuple[UUID, UUID | None, str], int],
) -> AlertShown:
    params = {name: value for name, value in row.params.items() if name not in ("candidate_ids", "missing_ids", "person_id")}
    if "departments" in params:
        params["departments"] = [one | {"name": names.get(UUID(one["id"]), "")} for one in params["departments"]]
    department = DepartmentBrief(id=row.department_id, name=names.get(row.department_id, "")) if row.department_id else None
    return AlertShown(
        id=row.id,
        kind=row.kind,  # type: ignore[arg-type]
        opened_at=row.opened_at,
        seen_at=seen_at,
        closed_at=row.closed_at,
        notice_id=row.notice_id,
        department=department,
        params=params,
        person=named(people, _person(row)),
        closed_by=named(people, row.closed_by),
        candidates=[people[one] for one in _ids(row, "candidate_ids") if one in people],
        missing=[people[one] for one in _ids(row, "missing_ids") if one in people],
        missing_count=still.get((row.notice_id, row.department_id, row.kind), 0) if row.notice_id else None,
    )
