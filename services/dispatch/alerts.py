"""Alerts: places that somebody fell out of, with whom to ask instead, and filled in two taps."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from sqlalchemy import select

from services.dispatch.placing import Manner, one_placed, place_people
from services.dispatch.ranking import Vacancy, shortlists
from services.dispatch.reads import brief, brief_people, reason_told
from services.dispatch.shapes import AssignmentShown, PersonBrief, SiteBrief
from services.dispatch.tables import Assignment, OpenPlace, Operation, Shift, Site
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read, Tx
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Listed, Note, Shown

alerts = Slice(prefix="/alerts", tags=["alerts"])

MOST = 200
SHOWN_CANDIDATES = 5
TYPED = frozenset({"declined", "released"})  # because of a person, who said why

AlertId = Annotated[UUID, Path(examples=[example_id("alert")], description="The assignment of who fell out")]


class Instead(Shown):
    """Who is fit, free and rested for the place, with their hours in 28 days."""

    person: PersonBrief
    hours_28_days: float
    last_end_at: datetime | None


class AlertShown(Shown):
    """A place that is open since somebody fell out, and whom to ask instead, the best first. `reason`: the words of whoever declined or
    released, for those who may read them."""

    assignment_id: UUID
    shift_id: UUID
    operation_id: UUID
    operation: str
    site: SiteBrief
    role: str
    starts_at: datetime
    ends_at: datetime
    person: PersonBrief
    because: Literal["declined", "left", "unfit", "unavailable", "duty", "released"]
    reason: str | None
    opened_at: datetime
    candidates: list[Instead]


class Stand(Body):
    """Who stands in; `override` as when somebody is asked."""

    person_id: UUID
    override: Note | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"person_id": example_id("person")}}}


@alerts.get("")
async def list_alerts(caller: Annotated[Caller, require("candidate.read")], read: Read) -> Listed[AlertShown]:
    """Open places of shifts that are not over, soonest first, each with up to five who are fit, free and rested; at most 200."""
    wanted = select(OpenPlace, Shift, Site, Operation, Assignment).join(Shift, Shift.id == OpenPlace.shift_id)
    wanted = wanted.join(Site, Site.id == Shift.site_id).join(Operation, Operation.id == Shift.operation_id)
    wanted = wanted.outerjoin(Assignment, Assignment.id == OpenPlace.assignment_id)  # who may not see it sees the place nevertheless
    wanted = wanted.where(OpenPlace.state == "open", Shift.ends_at > now(), Shift.state != "cancelled")
    by = (Shift.starts_at, OpenPlace.opened_at, OpenPlace.assignment_id)
    rows = (await read.execute(wanted.order_by(*by).limit(MOST))).all()
    vacancies = [
        Vacancy(place.assignment_id, shift.id, operation.requirement, max(shift.starts_at, now()), shift.ends_at, place.person_id)
        for place, shift, _, operation, _ in rows
    ]
    best = await shortlists(read, vacancies, SHOWN_CANDIDATES)
    asked = {one.person_id for found in best.values() for one in found}
    names = await brief_people(read, {*(place.person_id for place, *_ in rows), *asked})
    items = [
        AlertShown(
            assignment_id=place.assignment_id,
            shift_id=shift.id,
            operation_id=operation.id,
            operation=operation.name,
            site=SiteBrief.model_validate(site),
            role=place.role,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            person=brief(names, place.person_id),
            because=place.because,  # type: ignore[arg-type]
            reason=reason_told(gone, caller) if gone and place.because in TYPED else None,
            opened_at=place.opened_at,
            candidates=[
                Instead(person=brief(names, one.person_id), hours_28_days=round(one.hours, 1), last_end_at=one.last_end)
                for one in best.get(place.assignment_id, ())
            ],
        )
        for place, shift, site, operation, gone in rows
    ]
    return Listed(items=items, total=len(items), page_size=MOST)


@alerts.post("/{place_id}/filling", status_code=201)
async def fill_place(place_id: AlertId, wish: Stand, caller: Annotated[Caller, require("assignment.confirm")], tx: Tx) -> AssignmentShown:
    """Ask somebody to stand in where a place is open, also while the shift runs. Refused: `not_found`, `closed_already`, and all that
    forbids to ask somebody."""
    place = await tx.scalar(select(OpenPlace).where(OpenPlace.assignment_id == place_id))
    if place is None:
        raise Refused("not_found", 404)
    if place.state != "open":
        raise Refused("closed_already", 409)
    manner = Manner("proposed", caller, override=wish.override, running=True, instead_of=place_id)
    outcome = await place_people(tx, place.shift_id, place.role, [wish.person_id], manner)
    shown = await one_placed(tx, outcome)
    if place.filled_by != wish.person_id:  # somebody else was quicker, and there was another place
        raise Refused("closed_already", 409)
    return shown
