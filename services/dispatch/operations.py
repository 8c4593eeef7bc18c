"""Operations: one deployment with its sites, and the shifts of every day made from a pattern in one go."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Query
from pydantic import Field
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import fresh_code, held_operation, make_shifts, tell_shifts
from services.dispatch.reads import must_be_here, operation_rows, operation_shown
from services.dispatch.rules.patterns import day_bounds, days_between, spans
from services.dispatch.shapes import (
    MOST_SHIFTS,
    PATTERN_EXAMPLE,
    OperationId,
    OperationKind,
    OperationRow,
    OperationShown,
    Pattern,
    Requirement,
)
from services.dispatch.tables import Operation, Shift, Site
from shared.auth import Caller, require
from shared.clock import now, zone
from shared.db import Read, Tx
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.web import Body, Line, Listed, Note, PageNo, PageSize, Version

operations = Slice(prefix="/operations", tags=["operations"])

LONGEST_DAYS = 366


class NewSite(Body):
    """A site to add."""

    name: Line
    address: Line | None = None
    leader_id: UUID | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"name": "东门采样点", "address": "东门停车场"}}}


class NewOperation(Body):
    """An operation to plan: its sites, and with a pattern the shifts of every day at each of them."""

    name: Line
    kind: OperationKind
    place: Line
    partner: Line | None = None
    from_on: date
    until_on: date
    requirement: Requirement = None
    bring: Note | None = None
    note: Note | None = None
    sites: Annotated[list[NewSite], Field(max_length=200)] = []
    pattern: Pattern | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {
                "name": "社区核酸检测支援",
                "kind": "testing",
                "place": "林语社区",
                "from_on": "2021-08-04",
                "until_on": "2021-08-06",
                "requirement": "testing_point",
                "sites": [{"name": "东门采样点", "address": "东门停车场"}],
                "pattern": PATTERN_EXAMPLE,
            }
        }
    }


class OperationWish(Body):
    """What to change; a field that is not sent stays as it is, null empties it."""

    name: Line | None = None
    place: Line | None = None
    partner: Line | None = None
    from_on: date | None = None
    until_on: date | None = None
    requirement: Requirement = None
    bring: Note | None = None
    note: Note | None = None
    version: Version

    model_config = Body.model_config | {"json_schema_extra": {"example": {"until_on": "2021-08-08", "version": 1}}}


class ShiftsWish(Pattern):
    """A pattern for some sites and days of the operation; without sites or days: all of them."""

    site_ids: Annotated[list[UUID], Field(max_length=200)] = []
    days: Annotated[list[date], Field(max_length=LONGEST_DAYS)] = []

    model_config = Body.model_config | {"json_schema_extra": {"example": {**PATTERN_EXAMPLE, "days": ["2021-08-07"]}}}


@operations.get("")
async def list_operations(
    caller: Annotated[Caller, require("operation.read")],
    read: Read,
    since: Annotated[date | None, Query(description="Only those that last until this day or longer and have not been ended")] = None,
    before: Annotated[date | None, Query(description="Only those that are over before this day, or have been ended")] = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[OperationRow]:
    """Operations, those that begin last first."""
    wanted = select(Operation)
    if since is not None:
        wanted = wanted.where(Operation.until_on >= since, Operation.state != "ended")
    if before is not None:
        wanted = wanted.where(or_(Operation.until_on < before, Operation.state == "ended"))
    total = await read.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    ordered = wanted.order_by(Operation.from_on.desc(), Operation.created_at.desc(), Operation.id)
    rows = list(await read.scalars(ordered.limit(page_size).offset((page - 1) * page_size)))
    return Listed(items=await operation_rows(read, rows), total=total, page=page, page_size=page_size)


@operations.post("", status_code=201)
async def plan_operation(wish: NewOperation, caller: Annotated[Caller, require("operation.change")], tx: Tx) -> OperationShown:
    """Plan an operation with its sites and shifts; nobody is asked before it is opened. Refused: `site_name_taken`; 422
    `ends_before_it_begins`, `too_many_shifts`, `unknown_id` for a leader who is not here."""
    _check_days(wish.from_on, wish.until_on)
    await must_be_here(tx, leader_id=[one.leader_id for one in wish.sites])
    row = Operation(**wish.model_dump(exclude={"sites", "pattern"}), id=uuid4(), state="planned", version=1, created_at=now())
    tx.add(row)
    await tx.flush()
    sites = [
        Site(id=uuid4(), operation_id=row.id, **one.model_dump(), place_in_list=place, code=fresh_code(), version=1)
        for place, one in enumerate(wish.sites)
    ]
    tx.add_all(sites)
    await tx.flush()
    if wish.pattern is not None:
        await _make(tx, row, sites, days_between(row.from_on, row.until_on), wish.pattern, "pattern")
    return await operation_shown(tx, row)


@operations.get("/{operation_id}")
async def show_operation(operation_id: OperationId, caller: Annotated[Caller, require("operation.read")], read: Read) -> OperationShown:
    """An operation with its sites and its days. Refused: `not_found`."""
    row = await read.scalar(select(Operation).where(Operation.id == operation_id))
    if row is None:
        raise Refused("not_found", 404)
    return await operation_shown(read, row)


@operations.patch("/{operation_id}")
async def change_operation(
    operation_id: OperationId, wish: OperationWish, caller: Annotated[Caller, require("operation.change")], tx: Tx
) -> OperationShown:
    """Change an operation; a new name is told to all who keep its shifts. Refused: `changed_meanwhile`, `not_found`, `ended_already`,
    `shifts_outside`    (a day that is taken away has shifts); 422 `ends_before_it_begins`."""
    row = await held_operation(tx, operation_id)
    if row.version != wish.version:
        raise Refused("changed_meanwhile", 409, {"current": (await operation_shown(tx, row)).model_dump(mode="json")})
    given = wish.model_dump(exclude_unset=True, exclude={"version"})
    for field in ("name", "place", "from_on", "until_on"):
        if field in given and given[field] is None:
            raise wrong(field, "required")
    renamed = given.get("name", row.name) != row.name
    for field, value in given.items():
        setattr(row, field, value)
    row.version += 1
    _check_days(row.from_on, row.until_on)
    standing = select(Shift).where(Shift.operation_id == row.id, Shift.state != "cancelled")
    if {"from_on", "until_on"} & set(given):
        outside = or_(Shift.starts_at < day_bounds(row.from_on, zone())[0], Shift.starts_at >= day_bounds(row.until_on, zone())[1])
        if await tx.scalar(standing.where(outside).with_only_columns(Shift.id).limit(1)) is not None:
            raise Refused("shifts_outside", 409)
    await tx.flush()
    if renamed:
        to_come = standing.where(Shift.ends_at > now()).join(Site, Site.id == Shift.site_id).add_columns(Site.name)
        found = [(shift, site) for shift, site in await tx.execute(to_come)]
        await tell_shifts(tx, [shift for shift, _ in found], {shift.id: (row.name, site) for shift, site in found})
    return await operation_shown(tx, row)


@operations.post("/{operation_id}/sites", status_code=201)
async def add_site(
    operation_id: OperationId, wish: NewSite, caller: Annotated[Caller, require("operation.change")], tx: Tx
) -> OperationShown:
    """Add a site; its shifts are made after. Refused: `site_name_taken`, `not_found`, `ended_already`; 422 for a leader who is not here."""
    await must_be_here(tx, leader_id=[wish.leader_id])
    row = await held_operation(tx, operation_id)
    last = await tx.scalar(select(func.max(Site.place_in_list)).where(Site.operation_id == row.id))
    place = 0 if last is None else last + 1
    tx.add(Site(id=uuid4(), operation_id=row.id, **wish.model_dump(), place_in_list=place, code=fresh_code(), version=1))
    await tx.flush()
    return await operation_shown(tx, row)


@operations.post("/{operation_id}/shifts", status_code=201)
async def add_shifts_from_pattern(
    operation_id: OperationId, wish: ShiftsWish, caller: Annotated[Caller, require("operation.change")], tx: Tx
) -> OperationShown:
    """Make shifts from a pattern, in an open operation open at once. Refused: `made_already` (a site has a shift of just these times),
    `not_found`, `ended_already`; 422 `outside_operation`, `too_many_shifts`, `unknown_id` for a site of another operation."""
    row = await held_operation(tx, operation_id)
    sites = list(await tx.scalars(select(Site).where(Site.operation_id == row.id).order_by(Site.place_in_list)))
    if wish.site_ids:
        chosen = set(wish.site_ids)
        if chosen - {site.id for site in sites}:
            raise wrong("site_ids", "unknown_id")
        sites = [site for site in sites if site.id in chosen]
    days = sorted(set(wish.days)) or days_between(row.from_on, row.until_on)
    if not row.from_on <= days[0] <= days[-1] <= row.until_on:
        raise wrong("days", "outside_operation")
    await _make(tx, row, sites, days, wish, "times")
    return await operation_shown(tx, row)


async def _make(tx: AsyncSession, row: Operation, sites: Sequence[Site], days: Sequence[date], pattern: Pattern, field: str) -> None:
    if len(sites) * len(days) * len(pattern.times) > MOST_SHIFTS:
        raise wrong(field, "too_many_shifts", most=MOST_SHIFTS)
    planned = [(site, *span) for span in spans(days, pattern.spans(), zone()) for site in sites]
    await make_shifts(tx, row, planned, [(one.name, one.head_count) for one in pattern.roles], signup=pattern.signup)


def _check_days(from_on: date, until_on: date) -> None:
    if until_on < from_on:
        raise wrong("until_on", "ends_before_it_begins")
    if (until_on - from_on).days >= LONGEST_DAYS:
        raise wrong("until_on", "too_big", le=LONGEST_DAYS)
