"""What dispatch answers, where several slices answer the same."""

from collections import Counter
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from services.dispatch.rules.patterns import Times
from shared.fitness import asks
from shared.story import example_id
from shared.web import Body, Line, Note, Shown, WallTime

TeamId = Annotated[UUID, Path(examples=[example_id("team")])]
OperationId = Annotated[UUID, Path(examples=[example_id("operation")])]
SiteId = Annotated[UUID, Path(examples=[example_id("site")])]
ShiftId = Annotated[UUID, Path(examples=[example_id("shift")])]
AssignmentId = Annotated[UUID, Path(examples=[example_id("assignment")])]
OperationKind = Literal["testing", "gate", "flood", "clinic", "other"]
Requirement = Annotated[Literal["testing_point", "flood_rescue", "none"] | None, AfterValidator(lambda rule: rule if asks(rule) else None)]
"""The rule set of fitness that people are held to (shared/fitness.py); the one that asks nothing is none at all."""
OperationStanding = Literal["planned", "open", "ended"]
ShiftStanding = Literal["planned", "open", "cancelled"]
AssignmentStanding = Literal["proposed", "confirmed", "checked_in", "checked_out", "declined", "released", "no_show"]


class PersonBrief(Shown):
    """Who it is: name and department; the number only where people of one name must be told apart."""

    id: UUID
    name: str
    number: str | None = None
    department: str | None = None


class AssignmentShown(Shown):
    """A person on a shift. `late`: not there when it began; the times are when they really came and went."""

    id: UUID
    shift_id: UUID
    person: PersonBrief
    role: str
    state: AssignmentStanding = Field(examples=["confirmed"])
    starts_at: datetime
    ends_at: datetime
    walk_on: bool
    late: bool
    asked_at: datetime
    answered_at: datetime | None
    reason: str | None = Field(examples=[None])
    override_reason: str | None
    override_by: str | None
    checked_in_at: datetime | None = Field(examples=[None])
    checked_out_at: datetime | None = Field(examples=[None])
    version: int


class CorrectionShown(Shown):
    """When somebody came and went, said anew: what stood before, what stands since, by whom. `reason` only for the person and whoever puts
    people on shifts or sees them come."""

    old_checked_in_at: datetime
    old_checked_out_at: datetime | None
    checked_in_at: datetime
    checked_out_at: datetime | None
    reason: str | None
    corrected_by: str
    corrected_at: datetime


class Unplaced(Shown):
    """Who could not be put on a shift, and why."""

    person: PersonBrief
    code: str = Field(examples=["not_fit"])
    params: dict[str, object] = Field(examples=[{"rule": "testing_point"}])


MOST_SHIFTS = 5000
"""One request makes no more shifts: 50 sites, ten times a day, for ten days."""


MOST_ROLES = 20


class RoleWish(Body):
    """How many people a shift needs in a role."""

    name: Line
    head_count: Annotated[int, Field(ge=1, le=1000)]


AnyRole = TypeVar("AnyRole", bound=RoleWish)


class RoleChange(RoleWish):
    """How many people a shift that is there needs in a role from now on; none, and the role is not needed any more."""

    head_count: Annotated[int, Field(ge=0, le=1000)]


def _each_once(roles: list[AnyRole]) -> list[AnyRole]:
    if max(Counter(one.name for one in roles).values()) > 1:
        raise PydanticCustomError("named_twice", "one name stands for two")
    return roles


RoleWishes = Annotated[list[RoleWish], Field(min_length=1, max_length=MOST_ROLES), AfterValidator(_each_once)]
RoleChanges = Annotated[list[RoleChange], Field(min_length=1, max_length=MOST_ROLES), AfterValidator(_each_once)]


class Pattern(Body):
    """The shifts of each day: from when until when by the local clock (an end that is not later is the next day's), and whom they need."""

    times: Annotated[list[Annotated[list[WallTime], Field(min_length=2, max_length=2)]], Field(min_length=1, max_length=24)]
    roles: RoleWishes
    signup: bool = False

    @field_validator("times")
    @classmethod
    def _no_time_twice(cls, times: list[list[str]]) -> list[list[str]]:
        if max(Counter(tuple(one) for one in times).values()) > 1:
            raise PydanticCustomError("named_twice", "one time stands twice")
        return times

    def spans(self) -> list[Times]:
        """The times as the rule takes them."""
        return [Times(time.fromisoformat(begins), time.fromisoformat(ends)) for begins, ends in self.times]


PATTERN_EXAMPLE: dict[str, Any] = {
    "times": [["08:00", "12:40"], ["12:40", "17:20"], ["17:20", "22:00"]],
    "roles": [{"name": "信息登记", "head_count": 2}, {"name": "秩序维护", "head_count": 1}],
    "signup": False,
}


class SiteShown(Shown):
    """A site of an operation."""

    id: UUID
    operation_id: UUID
    name: str
    address: str | None
    leader: PersonBrief | None
    shift_count: int
    version: int


class DayShown(Shown):
    """A local day of an operation: how many places its shifts have, how many of them somebody confirmed, how many were asked."""

    on: date
    shift_count: int
    place_count: int = Field(examples=[9])
    held_count: int = Field(examples=[6])
    proposed_count: int = Field(examples=[2])


class OperationRow(Shown):
    """An operation in a list."""

    id: UUID
    name: str
    kind: OperationKind
    place: str
    partner: str | None
    from_on: date
    until_on: date
    requirement: str | None
    state: OperationStanding = Field(examples=["open"])
    site_count: int = Field(examples=[1])
    shift_count: int = Field(examples=[18])
    version: int


class OperationShown(OperationRow):
    """An operation with its sites and its days."""

    bring: str | None
    note: str | None
    sites: list[SiteShown]
    days: list[DayShown]


class RoleShown(Shown):
    """A role of a shift; `taken_count`: places that somebody holds, `proposed_count`: who was asked and has not answered."""

    name: str
    head_count: int = Field(examples=[2])
    taken_count: int = Field(examples=[1])
    proposed_count: int = Field(examples=[1])


class OperationBrief(Shown):
    """Which operation it is, and what holds for all its shifts."""

    id: UUID
    name: str
    kind: OperationKind
    place: str
    requirement: str | None
    bring: str | None
    note: str | None


class SiteBrief(Shown):
    """Which site it is."""

    id: UUID
    name: str
    address: str | None


class ShiftShown(Shown):
    """A shift. Assignments are there for those who may see them: one's own, of the shifts one leads, or all. `may_change`: whether this
    caller may move or cancel it."""

    id: UUID
    operation: OperationBrief
    site: SiteBrief
    starts_at: datetime
    ends_at: datetime
    leader: PersonBrief | None
    signup: bool
    bring: str | None = Field(examples=[None])
    state: ShiftStanding = Field(examples=["open"])
    reason: str | None
    roles: list[RoleShown]
    assignments: list[AssignmentShown]
    may_change: bool
    version: int


class Placed(Shown):
    """Who was put on the shift, and who could not be, each with the reason."""

    done: list[AssignmentShown]
    refused: list[Unplaced]


class ReasonShown(Shown):
    """What forbids, as a code with what fills its sentence; of fitness only the rule set, and until when somebody is fit."""

    code: str = Field(examples=["not_fit"])
    params: dict[str, object] = Field(examples=[{"rule": "testing_point"}])


class CandidateShown(Shown):
    """Somebody who could be asked. `fit`: nothing forbids. `declined`: said that they cannot come to this shift. `hours_28_days`: of duty
    and dispatch in the 28 days before; `rank`: from 1, by free and fit, not declined, fewest hours, longest rested, a team with those
    there, then the name."""

    person: PersonBrief
    fit: bool
    reasons: list[ReasonShown] = Field(examples=[[]])
    hours_28_days: float
    last_end_at: datetime | None
    same_team: bool
    declined: bool
    rank: int = Field(examples=[1])


class Why(Body):
    """Why."""

    reason: Note

    model_config = Body.model_config | {"json_schema_extra": {"example": {"reason": "身体不适"}}}
