"""The demo: one button for each role there is, and a clock that can be set. In a real system none of this exists."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.identity.acts import Kind, SessionBegun, begin_session, begun
from services.identity.reads import is_here, officer_duty_runs
from services.identity.tables import Account, KnownDepartment, KnownDuty, KnownPerson, Role
from shared.auth import Caller, anyone
from shared.clock import now, set_now, zone
from shared.db import Aside
from shared.once import secret_answer
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.settings import settings
from shared.story import example_id
from shared.web import Body, Shown

demo = Slice(prefix="/demo", tags=["demo"])

_WHY = "it exists in a demo alone, which holds invented people"
CastRole = Literal["health", "duty_planner", "coordinator", "leader", "administrator", "duty_officer", "head", "reporter", "everyone"]
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class CastMember(Shown):
    """Somebody whose part one can take."""

    person_id: UUID
    role: CastRole
    name: str
    department: str | None
    employment: str
    hint: str = Field(
        examples=["first"], description="Why this one: first, second (who approves what the first asked for), answers_for, agency"
    )


class Cast(Shown):
    """The cast: a part for each role there is so far."""

    items: list[CastMember]


class PartWish(Body):
    """Whose part is taken."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person_id": example_id("person"), "kind": "desk"}]})
    person_id: UUID
    kind: Kind = "desk"


class ClockWish(Body):
    """Where the demo's clock is to stand."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"at": "2021-08-05T16:25:00+08:00"}]})
    at: AwareDatetime


class ClockShown(Shown):
    """Where the demo's clock stands."""

    at: datetime
    local: str = Field(examples=["2021-08-05 16:25"], description="The same in the institution's zone, to the minute")


def _only_in_a_demo() -> None:
    if not settings().demo:
        raise Refused("not_found", 404)


@demo.get("/cast")
async def list_cast(caller: Annotated[Caller, anyone(_WHY)], aside: Aside) -> Cast:
    """One person for each role, two for health, since some things take two; the officer is whoever is on duty by the demo's clock.
    Refused 404 `not_found` outside a demo."""
    _only_in_a_demo()
    async with aside() as tx:
        picked: list[CastMember] = []
        granted: tuple[tuple[CastRole, int], ...] = (
            ("health", 2),
            ("leader", 1),
            ("duty_planner", 1),
            ("coordinator", 1),
            ("administrator", 1),
        )
        for role, many in granted:
            given = select(Role.id).where(Role.person_id == KnownPerson.id, Role.role == role, Role.state == "given")
            first_given = given.order_by(Role.id).limit(1).scalar_subquery()  # so whoever is given it by hand sends nobody off
            picked += await _pick(tx, given.exists(), role, many, ("first", "second"), first_given)
        on_duty = exists().where(KnownDuty.person_id == KnownPerson.id, *officer_duty_runs())
        picked += await _pick(tx, on_duty, "duty_officer", 1, ("on_duty",))
        answered_for = aliased(KnownDepartment)  # not the department that the person belongs to
        heads = exists().where(answered_for.head_id == KnownPerson.id)
        reports = exists().where(answered_for.reporter_id == KnownPerson.id)
        deputises = exists().where(answered_for.deputy_id == KnownPerson.id)
        picked += await _pick(tx, heads & _plain(picked), "head", 1, ("answers_for",))
        picked += await _pick(tx, reports & ~heads & _plain(picked), "reporter", 1, ("answers_for",))
        nobody_else = _plain(picked) & ~heads & ~reports & ~deputises
        picked += await _pick(tx, nobody_else & (KnownPerson.employment == "permanent"), "everyone", 1, ("first",))
        picked += await _pick(tx, nobody_else & (KnownPerson.employment == "agency"), "everyone", 1, ("agency",))
    return Cast(items=picked)


def _plain(picked: list[CastMember]) -> ColumnElement[bool]:
    granted = exists().where(Role.person_id == KnownPerson.id, Role.state.in_(("given", "waiting")))
    return KnownPerson.id.not_in([one.person_id for one in picked]) & ~granted


async def _pick(
    tx: AsyncSession, which: ColumnElement[bool], role: CastRole, many: int, hints: tuple[str, ...], *before: ColumnElement[UUID]
) -> list[CastMember]:
    named = select(KnownPerson, KnownDepartment.name).outerjoin(KnownDepartment, KnownDepartment.id == KnownPerson.department_id)
    rows = await tx.execute(named.where(which, is_here()).order_by(*before, KnownPerson.number, KnownPerson.id).limit(many))
    return [
        CastMember(person_id=person.id, role=role, name=person.name, department=name, employment=person.employment, hint=hint)
        for (person, name), hint in zip(rows, hints, strict=False)
    ]


@demo.post("/sessions", status_code=201)
@secret_answer
async def take_part(wish: PartWish, caller: Annotated[Caller, anyone(_WHY)], aside: Aside) -> SessionBegun:
    """Sign in as anybody of the demo, without a password. Refused 404 `not_found` outside a demo, `no_person`."""
    _only_in_a_demo()
    async with aside() as tx:
        person = (await tx.scalars(select(KnownPerson).where(KnownPerson.id == wish.person_id, is_here()))).one_or_none()
        if person is None:
            raise Refused("no_person", 404)
        fresh = insert(Account).values(person_id=person.id, name=person.name, created_at=now())
        await tx.execute(fresh.on_conflict_do_nothing(index_elements=["person_id"]))
        account_id = (await tx.scalars(select(Account.id).where(Account.person_id == person.id))).one()
        return begun(*await begin_session(tx, account_id, wish.kind, "", caller.address, "demo"))


@demo.get("/clock")
async def show_clock(caller: Annotated[Caller, anyone(_WHY)]) -> ClockShown:
    """Where the demo's clock stands. Refused 404 `not_found` outside a demo."""
    _only_in_a_demo()
    return _clock()


@demo.put("/clock")
async def set_clock(wish: ClockWish, caller: Annotated[Caller, anyone(_WHY)]) -> ClockShown:
    """Set the clock of all processes; time runs on from there, also when it is set back. Refused 404 outside a demo, 422 `out_of_range`."""
    _only_in_a_demo()
    if not EARLIEST <= wish.at <= LATEST:
        raise wrong("at", "out_of_range", min=EARLIEST.isoformat(), max=LATEST.isoformat())
    set_now(wish.at)
    return _clock()


def _clock() -> ClockShown:
    at = now()
    return ClockShown(at=at, local=at.astimezone(zone()).strftime("%Y-%m-%dT%H:%M"))
