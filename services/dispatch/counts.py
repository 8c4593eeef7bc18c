"""Sample counts of a site, by hour: entered by whoever leads there; a correction is a new row, both stay."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.reads import local_day
from services.dispatch.shapes import SiteId
from services.dispatch.tables import Operation, SampleCount, Shift, Site
from shared.auth import Caller, require
from shared.clock import now, today, zone
from shared.db import Read, Tx
from shared.events import CountsChanged
from shared.messaging.outbox import publish
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.web import Body, Shown

counts = Slice(prefix="/sites", tags=["counts"])


class CountWish(Body):
    """How many samples were taken in an hour of a local day."""

    on: date
    hour: Annotated[int, Field(ge=0, le=23, description="The hour in which it was, by the local clock")]
    samples: Annotated[int, Field(ge=0, le=1_000_000)]

    model_config = Body.model_config | {"json_schema_extra": {"example": {"on": "2021-08-04", "hour": 7, "samples": 180}}}


class CountShown(Shown):
    """What was counted in an hour; `corrected` says that there was another number before."""

    hour: int
    samples: int
    corrected: bool
    entered_by: str
    entered_at: datetime


class SiteCounts(Shown):
    """What a site counted in a day."""

    site_id: UUID
    site: str
    operation_id: UUID
    operation: str
    on: date
    samples: int
    hours: list[CountShown]


@counts.get("/{site_id}/counts")
async def show_counts(
    site_id: SiteId,
    caller: Annotated[Caller, require("count.record")],
    read: Read,
    on: Annotated[date | None, Query(description="The local day; today without it")] = None,
) -> SiteCounts:
    """What a site counted in a day, by hour. Refused: `not_found`, also for who neither leads there that day nor coordinates."""
    site, operation = await _led_site(read, caller, site_id, on or today())
    return await _shown(read, site, operation, on or today())


@counts.put("/{site_id}/counts")
async def enter_count(site_id: SiteId, wish: CountWish, caller: Annotated[Caller, require("count.record")], tx: Tx) -> SiteCounts:
    """Enter or correct the samples of an hour. The same number again changes nothing. Refused: `not_found` for who neither leads there
    that day nor coordinates; 422 `in_future`, `outside_operation`."""
    site, operation = await _led_site(tx, caller, site_id, wish.on, hold=True)
    moment = now().astimezone(zone())
    if (wish.on, wish.hour) > (moment.date(), moment.hour):
        raise wrong("hour", "in_future")
    if not operation.from_on <= wish.on:
        raise wrong("on", "outside_operation")
    hour = (SampleCount.site_id == site_id, SampleCount.on == wish.on, SampleCount.hour == wish.hour, SampleCount.superseded.is_(False))
    standing = await tx.scalar(select(SampleCount.samples).where(*hour))
    if standing != wish.samples:
        if standing is not None:
            await tx.execute(update(SampleCount).where(*hour).values(superseded=True).execution_options(synchronize_session=False))
        entered = {"entered_by": caller.id, "entered_by_name": caller.name, "entered_at": now()}
        tx.add(SampleCount(site_id=site_id, on=wish.on, hour=wish.hour, samples=wish.samples, superseded=False, **entered))
        publish(tx, CountsChanged(operation_id=site.operation_id, site_id=site_id))
        await tx.flush()
    return await _shown(tx, site, operation, wish.on)


async def _led_site(read: AsyncSession, caller: Caller, site_id: UUID, on: date, *, hold: bool = False) -> tuple[Site, Operation]:
    """The site, if the caller coordinates or leads it or a shift there on that day; `hold` keeps its row until the transaction ends."""
    wanted = select(Site, Operation).join(Operation, Operation.id == Site.operation_id).where(Site.id == site_id)
    reach = caller.reach("count.record")
    if not reach.everything:
        led = select(Shift.site_id).where(Shift.leader_id == reach.own, Shift.site_id == site_id, Shift.state != "cancelled")
        led = led.where(local_day(Shift.starts_at) <= on, local_day(Shift.ends_at) >= on)
        wanted = wanted.where(or_(Site.leader_id == reach.own, Site.id.in_(led)))
    found = (await read.execute(wanted.with_for_update(of=Site, key_share=True) if hold else wanted)).one_or_none()
    if found is None:
        raise Refused("not_found", 404)
    return found[0], found[1]


async def _shown(read: AsyncSession, site: Site, operation: Operation, on: date) -> SiteCounts:
    wanted = select(SampleCount).where(SampleCount.site_id == site.id, SampleCount.on == on)
    rows = list(await read.scalars(wanted.order_by(SampleCount.hour, SampleCount.entered_at)))
    corrected = {row.hour for row in rows if row.superseded}
    hours = [
        CountShown(
            hour=row.hour,
            samples=row.samples,
            corrected=row.hour in corrected,
            entered_by=row.entered_by_name,
            entered_at=row.entered_at,
        )
        for row in rows
        if not row.superseded
    ]
    return SiteCounts(
        site_id=site.id,
        site=site.name,
        operation_id=operation.id,
        operation=operation.name,
        on=on,
        samples=sum(one.samples for one in hours),
        hours=hours,
    )
