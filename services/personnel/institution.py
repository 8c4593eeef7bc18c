"""The institution: its name, its zone, what time it is here."""

from datetime import date, datetime
from typing import Annotated

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
    zone: str
    demo: bool
    now: datetime
    today: date
    version: int

    model_config = Shown.model_config | {
        "json_schema_extra": {
            "example": {
                "name": "澜江学院",
                "zone": "Asia/Shanghai",
                "demo": True,
                "now": "2021-08-04T07:40:00+08:00",
                "today": "2021-08-04",
                "version": 1,
            }
        }
    }


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
