"""The health record of one person: to be looked at, which is itself put on record, and programmes as they are ruled."""

from datetime import date
from typing import Annotated

from pydantic import Field

from services.personnel.acts import looked
from services.personnel.reads import fitness_of, person_of, person_shown, record_of, standings_of
from services.personnel.rules.programmes import PROGRAMMES
from services.personnel.shapes import HealthRecord, PersonId, ProgrammeCode
from shared.auth import Caller, require, signed_in
from shared.clock import today
from shared.db import Tx
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Listed, Shown

health_records = Slice(tags=["health records"])


class ProductShown(Shown):
    """A vaccine that counts in a programme."""

    code: str = Field(examples=["bibp"])
    platform: str = Field(examples=["inactivated"])
    names: dict[str, str] = Field(examples=[{"zh-Hans": "新冠灭活疫苗（Vero细胞）北京生物", "en": "BBIBP-CorV (Sinopharm Beijing)"}])


class ProgrammeShown(Shown):
    """A programme: what counts, how many, how far apart, and where that is written."""

    code: ProgrammeCode
    names: dict[str, str] = Field(examples=[{"zh-Hans": "新冠病毒疫苗", "en": "COVID-19"}])
    source: str = Field(examples=["国家卫生健康委员会：《新冠病毒疫苗接种技术指南（第一版）》，2021年3月29日"])
    begins_on: date = Field(examples=["2020-03-16"])
    least_age: int = Field(examples=[18])
    products: list[ProductShown]


@health_records.get("/programmes")
async def list_programmes(caller: Annotated[Caller, signed_in]) -> Listed[ProgrammeShown]:
    """The programmes and their products, with the source of their rules."""
    items = [
        ProgrammeShown(
            code=one.code,  # type: ignore[arg-type]
            names=dict(one.names),
            source=one.source,
            begins_on=one.begins_on,
            least_age=one.least_age,
            products=[ProductShown(code=p.code, platform=p.platform, names=dict(p.names)) for p in one.products],
        )
        for one in PROGRAMMES.values()
    ]
    return Listed(items=items, total=len(items))


@health_records.get("/people/{person_id}/health")
async def show_record(person_id: PersonId, caller: Annotated[Caller, require("health.read")], tx: Tx) -> HealthRecord:
    """Somebody's health record, and what they are fit for. The look is recorded, and the person can see it.

    Refused: `not_found` (also: not within your reach)."""
    if not caller.reach("health.read").holds(person_id):
        raise Refused("not_found", 404)
    person, department = await person_of(tx, person_id)
    standings = await standings_of(tx, person.id, today())
    found = await record_of(tx, person, caller, today(), list(standings.values()))
    fitness = await fitness_of(tx, person.id, standings)
    looked(tx, "record", [person.id])
    return HealthRecord(person=person_shown(person, department, caller), programmes=found, fitness=fitness)
