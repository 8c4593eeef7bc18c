"""The institution: its name, its zone, what time it is here."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from services.personnel.tables import Institution
from shared.auth import Caller, anyone, require
from shared.clock import now, today, zone
from shared.db import Read, Tx
from shared.refusals import Refused
from shared.service import Slice
from shared.settings import settings
from shared.web import Body, Line, Shown, Version

institution = Slice(prefix="/institution", tags=["institution"])


class InstitutionShown(Shown):
    """The institution and its clock."""

    name: str
    zone: str = Field(examples=["Asia/Shanghai"])
    demo: bool = Field(examples=[True])
    now: datetime = Field(examples=["2021-08-05T16:25:00+08:00"])
    today: date
    version: int


class InstitutionWish(Body):
    """What the administrator may change."""

    name: Line
    version: Version

    model_config = Body.model_config | {"json_schema_extra": {"example": {"name": "澜江学院", "version": 1}}}


def _shown(row: Institution) -> InstitutionShown:
    moment = now().astimezone(zone())
    return InstitutionShown(name=row.name, zone=settings().zone, demo=settings().demo, now=moment, today=today(), version=row.version)


@institution.get("")
async def show_institution(caller: Annotated[Caller, anyone("the sign-in page says where one is")], read: Read) -> InstitutionShown:
    """The institution's name and its local time."""
    row = await read.get_one(Institution, 1)
    return _shown(row)


@institution.put("")
async def change_institution(wish: InstitutionWish, caller: Annotated[Caller, require("institution.change")], tx: Tx) -> InstitutionShown:
    """Change the institution's name. Refused: `changed_meanwhile`."""
    row = await tx.get_one(Institution, 1, with_for_update=True)
    if row.version != wish.version:
        raise Refused("changed_meanwhile", 409, {"current": {"name": row.name, "version": row.version}})
    row.name, row.version = wish.name, row.version + 1
    return _shown(row)
