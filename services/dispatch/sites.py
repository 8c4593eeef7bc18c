"""Sites: changed, and the code by which people who are there check in, until it is renewed."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import fresh_code, tell_shifts
from services.dispatch.reads import brief, brief_people, must_be_here
from services.dispatch.shapes import SiteId, SiteShown
from services.dispatch.tables import Operation, Shift, Site
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read, Tx
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.web import Body, Line, Shown, Version

sites = Slice(prefix="/sites", tags=["sites"])

CODE_SHOWN_FOR = timedelta(hours=12)


class SiteWish(Body):
    """What to change; a field that is not sent stays as it is, null empties it."""

    name: Line | None = None
    address: Line | None = None
    leader_id: UUID | None = None
    version: Version

    model_config = Body.model_config | {"json_schema_extra": {"example": {"address": "东门停车场北侧", "version": 1}}}


class SiteCode(Shown):
    """What the QR code at a site carries."""

    site_id: UUID
    site: str
    operation_id: UUID
    operation: str
    code: str = Field(examples=["7K3M9QXT2W"])


@sites.patch("/{site_id}")
async def change_site(site_id: SiteId, wish: SiteWish, caller: Annotated[Caller, require("operation.change")], tx: Tx) -> SiteShown:
    """Change a site. Shifts to come that the old leader led, or nobody, are the new one's; they and a new name are told to all who keep
    them. Refused: `changed_meanwhile`, `site_name_taken`, `not_found`; 422 for a leader who is not here."""
    row = await tx.scalar(select(Site).where(Site.id == site_id).with_for_update(key_share=True))
    if row is None:
        raise Refused("not_found", 404)
    if row.version != wish.version:
        raise Refused("changed_meanwhile", 409, {"current": (await _shown(tx, row)).model_dump(mode="json")})
    given = wish.model_dump(exclude_unset=True, exclude={"version"})
    if "name" in given and given["name"] is None:
        raise wrong("name", "required")
    if given.get("leader_id") not in (None, row.leader_id):
        await must_be_here(tx, leader_id=[given["leader_id"]])
    before, renamed = row.leader_id, given.get("name", row.name) != row.name
    for field, value in given.items():
        setattr(row, field, value)
    row.version += 1
    await tx.flush()
    to_come = (Shift.site_id == row.id, Shift.state != "cancelled", Shift.ends_at > now())
    if row.leader_id != before:
        led = or_(Shift.leader_id.is_(None), Shift.leader_id == before)
        passed = update(Shift).where(*to_come, led).values(leader_id=row.leader_id, version=Shift.version + 1)
        await tx.execute(passed.execution_options(synchronize_session=False))
    if renamed or row.leader_id != before:
        await tell_shifts(tx, list(await tx.scalars(select(Shift).where(*to_come).execution_options(populate_existing=True))))
    return await _shown(tx, row)


@sites.get("/{site_id}/code")
async def show_code(site_id: SiteId, caller: Annotated[Caller, require("attendance.record")], read: Read) -> SiteCode:
    """The code that the site's QR code carries, for who coordinates or leads there, of a shift until 12 hours after it. Refused:
    `not_found`, also for everybody else."""
    reach = caller.reach("attendance.record")
    wanted = select(Site, Operation.name).join(Operation, Operation.id == Site.operation_id).where(Site.id == site_id)
    if not reach.everything:
        led = select(Shift.site_id).where(Shift.leader_id == reach.own, Shift.site_id == site_id, Shift.state != "cancelled")
        led = led.where(Shift.ends_at > now() - CODE_SHOWN_FOR)
        wanted = wanted.where(or_(Site.leader_id == reach.own, Site.id.in_(led)))
    found = (await read.execute(wanted)).one_or_none()
    if found is None:
        raise Refused("not_found", 404)
    site, operation = found
    return SiteCode(site_id=site.id, site=site.name, operation_id=site.operation_id, operation=operation, code=site.code)


@sites.post("/{site_id}/code")
async def renew_code(site_id: SiteId, caller: Annotated[Caller, require("operation.change")], tx: Tx) -> SiteCode:
    """A new code for a site: whoever photographed the sheet that hangs there checks in from afar no more, and a new one has to be hung
    up. Refused: `not_found`."""
    wanted = select(Site, Operation.name).join(Operation, Operation.id == Site.operation_id).where(Site.id == site_id)
    found = (await tx.execute(wanted.with_for_update(of=Site, key_share=True))).one_or_none()
    if found is None:
        raise Refused("not_found", 404)
    site, operation = found
    site.code = fresh_code()
    await tx.flush()
    return SiteCode(site_id=site.id, site=site.name, operation_id=site.operation_id, operation=operation, code=site.code)


async def _shown(read: AsyncSession, row: Site) -> SiteShown:
    people = await brief_people(read, {row.leader_id})
    count = await read.scalar(select(func.count()).select_from(Shift).where(Shift.site_id == row.id, Shift.state != "cancelled"))
    return SiteShown(
        id=row.id,
        operation_id=row.operation_id,
        name=row.name,
        address=row.address,
        leader=brief(people, row.leader_id) if row.leader_id else None,
        shift_count=count or 0,
        version=row.version,
    )
