"""What duty is asked and answers, where several slices speak of the same."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.web import Body, Note, Shown

EXAMPLE_ID = "0198a3f2-7c41-7d3e-9b5a-2f6c8d1e4a70"
EXAMPLE_MONDAY = "2021-08-02"
_FREED = "The assignments that were met have been freed; one that still stands is refused anew"


def _a_monday(value: date) -> date:
    if value.weekday() != 0 or not date(2000, 1, 1) <= value <= date(2200, 1, 1):
        raise PydanticCustomError("not_a_monday", "is no Monday")
    return value


Monday = Annotated[date, AfterValidator(_a_monday)]
RosterMonday = Annotated[Monday, Path(description="The Monday by which a week is named", examples=[EXAMPLE_MONDAY])]


class PersonBrief(Shown):
    """Who it is: name and department. `number` is there only for those who plan."""

    id: UUID
    name: str
    number: str | None = None
    department: str | None = None


class PostBrief(Shown):
    """Which post it is."""

    id: UUID
    name: str


class PostShown(Shown):
    """A post: from `starts_at_time` on the institution's clock for so many hours, every day, with so many people. Both pools empty:
    everyone may hold it; a department brings in everything below it. Who is in the pool by name is there only for those who plan; how
    many they are, for everybody."""

    id: UUID
    name: str
    starts_at_time: str
    hours: float
    head_count: int
    gives_rights: bool
    counted_hours: float | None
    rest_hours: float | None
    pool_departments: list[UUID]
    pool_people: list[UUID]
    pool_people_count: int = 0
    place_in_list: int
    retired: bool
    version: int

    def seen(self, *, plans: bool) -> Self:
        """The post as somebody may read it, who plans or does not."""
        return self.model_copy(update={"pool_people": self.pool_people if plans else [], "pool_people_count": len(self.pool_people)})


class ReasonShown(Shown):
    """Why somebody cannot hold a place, as code and what fills its sentence."""

    code: str
    params: dict[str, Any]


class SlotShown(Shown):
    """A place of a post on a day and who holds it. `problems` are there only for those who plan; `gap_id` when somebody fell out."""

    post_id: UUID
    on: date
    place: int
    starts_at: datetime
    ends_at: datetime
    duty_id: UUID | None
    person: PersonBrief | None
    gap_id: UUID | None
    problems: list[ReasonShown]


class AmendmentShown(Shown):
    """What was changed after publication. `reason` is there only for those who plan; `because` is `amended` or `filled` by somebody,
    or `fell_out`; those who plan read whether the person `left` or is `unavailable`."""

    at: datetime
    by: str
    because: Literal["amended", "filled", "fell_out", "left", "unavailable"]
    reason: str | None
    post: PostBrief
    on: date
    place: int
    old: PersonBrief | None
    new: PersonBrief | None


class RosterShown(Shown):
    """A week. `state` is `none` where there is nothing to see yet; a draft is seen only by those who plan."""

    monday: date
    state: Literal["none", "draft", "published"]
    version: int
    published_at: datetime | None
    days: list[date]
    posts: list[PostShown]
    slots: list[SlotShown]
    gap_count: int
    problem_count: int
    amendments: list[AmendmentShown]


class SlotWish(Body):
    """Who shall hold a place; null empties it."""

    post_id: UUID
    on: date
    place: int = Field(1, ge=1, le=50)
    person_id: UUID | None


class SlotsWish(Body):
    """What to change in a week; places that are not named stay as they are."""

    version: int = Field(ge=0, le=2_000_000_000, description="The version that was read; 0 where there was nothing yet")
    reason: Note | None = Field(None, description="Needed once the roster is published")
    free_assignments: bool = Field(False, description=_FREED)
    slots: list[SlotWish] = Field(min_length=1, max_length=1000)

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {
                "version": 3,
                "reason": "换班",
                "slots": [{"post_id": EXAMPLE_ID, "on": "2021-08-05", "place": 1, "person_id": EXAMPLE_ID}],
            }
        }
    }


class CheckWish(Body):
    """Places as they stand in the grid; what is not named stands as it was saved."""

    slots: list[SlotWish] = Field(max_length=1000)

    model_config = Body.model_config | {
        "json_schema_extra": {"example": {"slots": [{"post_id": EXAMPLE_ID, "on": "2021-08-05", "place": 1, "person_id": EXAMPLE_ID}]}}
    }


class SlotProblems(Shown):
    """What is wrong with one place."""

    post_id: UUID
    on: date
    place: int
    problems: list[ReasonShown]


class CheckShown(Shown):
    """Every place with something wrong, as the week would stand."""

    problems: list[SlotProblems]
    gap_count: int
    problem_count: int


class PublicationWish(Body):
    """Publish what was read."""

    version: int = Field(ge=0, le=2_000_000_000)
    free_assignments: bool = Field(False, description=_FREED)

    model_config = Body.model_config | {"json_schema_extra": {"example": {"version": 3}}}


class CopyWish(Body):
    """From which week."""

    from_monday: Monday

    model_config = Body.model_config | {"json_schema_extra": {"example": {"from_monday": "2021-07-26"}}}


class DutyShown(Shown):
    """A person on a post for a time."""

    id: UUID
    post: PostBrief
    person: PersonBrief
    on: date
    place: int
    starts_at: datetime
    ends_at: datetime
    gives_rights: bool
    version: int


class CandidateShown(Shown):
    """Somebody who may hold a place, what forbids it, and the hours of the 28 days before."""

    person: PersonBrief
    free: bool
    reasons: list[ReasonShown]
    hours_28_days: float
    weekend_hours_28_days: float


def days_of(monday: date) -> list[date]:
    """The seven days of a week."""
    return [monday + timedelta(days=number) for number in range(7)]
