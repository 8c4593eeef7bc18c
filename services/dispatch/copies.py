"""The copy: all that dispatch keeps about whoever asks, for their download."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import or_, select

from services.dispatch.reads import correction_shown
from services.dispatch.shapes import CorrectionShown
from services.dispatch.tables import (
    Assignment,
    KnownFitness,
    KnownPerson,
    OpenPlace,
    Operation,
    SampleCount,
    Shift,
    Site,
    Team,
    TeamMember,
    TimeCorrection,
)
from shared.auth import Caller, signed_in
from shared.clock import now
from shared.db import Read, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Shown

copies = Slice(prefix="/people", tags=["people"])


class PersonKept(Shown):
    """Who one is here, as personnel told it."""

    number: str
    name: str
    department_id: UUID
    employment: str
    left_on: date | None


class AssignmentKept(Shown):
    """A shift one was asked for, and what became of it; how one attended."""

    operation: str
    site: str
    role: str
    state: str = Field(examples=["checked_out"])
    starts_at: datetime
    ends_at: datetime
    walk_on: bool
    late: bool
    asked_at: datetime
    answered_at: datetime | None
    reason: str | None
    override_reason: str | None
    override_by_name: str | None
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    corrections: list[CorrectionShown]


class LedKept(Shown):
    """A shift one leads."""

    operation: str
    site: str
    starts_at: datetime
    ends_at: datetime


class PlaceKept(Shown):
    """A place one left open, and why; or took over."""

    role: str
    because: str | None = Field(examples=["declined"])
    opened_at: datetime
    closed_at: datetime | None


class CountKept(Shown):
    """A count of samples that one entered."""

    on: date
    hour: int
    samples: int
    entered_at: datetime


class FitnessKept(Shown):
    """From when until when one may be sent where a rule set applies; why, dispatch does not know."""

    rule: str
    fit_from: datetime | None
    fit_until: datetime | None


class Copy(Shown):
    """All that dispatch keeps about the caller."""

    made_at: datetime
    person: PersonKept | None
    teams: list[str] = Field(examples=[["防疫突击队"]])
    assignments: list[AssignmentKept]
    shifts_led: list[LedKept]
    places: list[PlaceKept]
    counts: list[CountKept]
    fitness: list[FitnessKept]


@copies.get("/me/copy")
async def copy_own(caller: Annotated[Caller, signed_in], read: Read) -> Copy:
    """All that dispatch keeps about the caller, for the download. Refused: `not_found` for an API client or an account without a person."""
    own = caller.person_id
    if own is None:
        raise Refused("not_found", 404)
    async with as_system(read):  # one's own rows, named one by one below
        person = await read.get(KnownPerson, own)
        member = select(TeamMember.team_id).where(TeamMember.person_id == own)
        in_team = or_(Team.id.in_(member), Team.leader_id == own, Team.deputy_id == own)
        teams = await read.scalars(select(Team.name).where(in_team).order_by(Team.name))
        where = select(Shift.id, Operation.name.label("operation"), Site.name.label("site"))
        where = where.join(Operation, Operation.id == Shift.operation_id).join(Site, Site.id == Shift.site_id)
        mine = where.join(Assignment, Assignment.shift_id == Shift.id).add_columns(Assignment).where(Assignment.person_id == own)
        assignments = (await read.execute(mine.order_by(Assignment.starts_at))).all()
        ids = [row.id for *_, row in assignments]
        said = select(TimeCorrection).where(TimeCorrection.assignment_id.in_(ids)).order_by(TimeCorrection.corrected_at)
        corrected = [(row.assignment_id, correction_shown(row, caller)) for row in await read.scalars(said)]
        leads = or_(Shift.leader_id == own, Site.leader_id == own)
        led = (await read.execute(where.add_columns(Shift.starts_at, Shift.ends_at).where(leads).order_by(Shift.starts_at))).all()
        left_or_took = or_(OpenPlace.person_id == own, OpenPlace.filled_by == own)
        places = await read.scalars(select(OpenPlace).where(left_or_took).order_by(OpenPlace.opened_at))
        counts = await read.scalars(select(SampleCount).where(SampleCount.entered_by == own).order_by(SampleCount.entered_at))
        fitness = await read.scalars(select(KnownFitness).where(KnownFitness.person_id == own).order_by(KnownFitness.rule))
        return Copy(
            made_at=now(),
            person=PersonKept.model_validate(person) if person else None,
            teams=list(teams),
            assignments=[
                _assignment(operation, site, row, [one for of, one in corrected if of == row.id]) for _, operation, site, row in assignments
            ],
            shifts_led=[LedKept.model_validate(row) for row in led],
            places=[_place(row, own) for row in places],
            counts=[CountKept.model_validate(row) for row in counts],
            fitness=[FitnessKept.model_validate(row) for row in fitness],
        )


def _assignment(operation: str, site: str, row: Assignment, corrected: list[CorrectionShown]) -> AssignmentKept:
    kept = {name: getattr(row, name) for name in AssignmentKept.model_fields if name not in ("operation", "site", "corrections")}
    return AssignmentKept.model_validate({"operation": operation, "site": site, "corrections": corrected} | kept)


def _place(row: OpenPlace, own: UUID) -> PlaceKept:
    kept = PlaceKept.model_validate(row)
    return kept if row.person_id == own else kept.model_copy(update={"because": None})  # why another left is of their health
