"""Looks: who looked at whose health data, when and on which page; each person reads that of their own record."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.tables import Look
from shared.auth import Caller, require
from shared.db import Read
from shared.events import RecordLooked
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Listed, PageNo, PageSize, Shown

looks = Slice(prefix="/looks", tags=["looks"])


class OwnLook(Shown):
    """A look at one's own record. Of a list one was on, only that it was looked at, and with how many others."""

    id: UUID
    looked_at: datetime
    looker_name: str
    by_client: bool
    oneself: bool
    what: str = Field(examples=["record"], description="record, list, export, exemptions, copy")
    people_count: int = Field(examples=[1])
    purpose: str = Field(examples=["/people/{person_id}"], description="The page from which it was looked")


class LookShown(OwnLook):
    """A look, for those who keep health records."""

    account_id: UUID | None
    client_id: UUID | None = Field(examples=[None])
    looker_id: UUID | None
    filter: dict[str, Any] = Field(examples=[{}])


_KEEP: Any = Look.__table__.insert()  # type: ignore[attr-defined]


@looks.on(RecordLooked)
async def note_look(event: RecordLooked, tx: AsyncSession) -> None:
    """Keep it; the done-row of the same transaction makes a repeat harmless. Of a row that nobody reads back, no object is kept."""
    await tx.execute(_KEEP, event.model_dump())


@looks.get("/mine")
async def list_own_looks(
    caller: Annotated[Caller, require("look.read")],
    read: Read,
    others_only: Annotated[bool, Query(description="Without one's own looks")] = False,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[OwnLook]:
    """Who looked at one's own health record, the latest first. Refused 404 `no_person` for an account without a person."""
    if caller.person_id is None:
        raise Refused("no_person", 404)
    which: list[ColumnElement[bool]] = [Look.person_ids.contains([caller.person_id])]
    if others_only:
        which.append(Look.looker_id.is_distinct_from(caller.person_id))
    rows, total = await _page(read, which, page, page_size)
    return Listed(items=[OwnLook(**_own(row, caller.person_id)) for row in rows], total=total, page=page, page_size=page_size)


@looks.get("")
async def list_looks(
    caller: Annotated[Caller, require("look.read")],
    read: Read,
    person_id: Annotated[UUID | None, Query(description="Whose record was looked at", examples=[example_id("person")])] = None,
    looker_id: Annotated[UUID | None, Query(description="Who looked", examples=[example_id("looker")])] = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[LookShown]:
    """Looks, the latest first, for those who keep health records. Refused 403 `not_allowed` for all others, who have /looks/mine."""
    if not caller.reach("look.read").everything:
        raise Refused("not_allowed", 403, {"action": "look.read"})
    which: list[ColumnElement[bool]] = [Look.person_ids.contains([person_id])] if person_id else []
    if looker_id:
        which.append(Look.looker_id == looker_id)
    rows, total = await _page(read, which, page, page_size)
    items = [
        LookShown(
            **_own(row, caller.person_id), account_id=row.account_id, client_id=row.client_id, looker_id=row.looker_id, filter=row.filter
        )
        for row in rows
    ]
    return Listed(items=items, total=total, page=page, page_size=page_size)


def _own(row: Look, person_id: UUID | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "looked_at": row.looked_at,
        "looker_name": row.looker_name,
        "by_client": row.client_id is not None,
        "oneself": row.looker_id is not None and row.looker_id == person_id,
        "what": row.what,
        "people_count": row.people_count,
        "purpose": row.purpose,
    }


async def _page(read: AsyncSession, which: list[ColumnElement[bool]], page: int, page_size: int) -> tuple[list[Look], int]:
    total = await read.scalar(select(func.count()).select_from(Look).where(*which))
    wanted = select(Look).where(*which).order_by(Look.looked_at.desc(), Look.id.desc()).offset((page - 1) * page_size).limit(page_size)
    return list(await read.scalars(wanted)), total or 0
