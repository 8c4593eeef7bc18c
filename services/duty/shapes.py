"""What duty is asked and answers, where several slices speak of the same."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.story import example_id
from shared.web import Body, Note, Shown

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
    starts_at_time: str = Field(examples=["19:00"])
    hours: float
    head_count: int = Field(examples=[2])
    gives_rights: bool
    counted_hours: float | None = Field(examples=[10])
    rest_hours: float | None = Field(examples=[24])
    pool_departments: list[UUID] = Field(examples=[[example_id("department")]])
    pool_people: list[UUID] = Field(examples=[[example_id("person")]])
    pool_people_count: int = Field(0, examples=[1])
    place_in_list: int = Field(examples=[2])
    retired: bool
    version: int

    def seen(self, *, plans: bool) -> Self:
        """The post as somebody may read it, who plans or does not."""
        return self.model_copy(update={"pool_people": self.pool_people if plans else [], "pool_people_count": len(self.pool_people)})


class ReasonShown(Shown):
    """Why somebody cannot hold a place, as code and what fills its sentence."""

    code: str = Field(examples=["has_left"])
    params: dict[str, Any] = Field(examples=[{"left_on": "2021-08-01"}])


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
    problems: list[ReasonShown] = Field(examples=[[]])


class AmendmentShown(Shown):
    """What was changed after publication. `reason` is there only for those who plan; `because` is `amended` or `filled` by somebody,
    or `fell_out`; those who plan read whether the person `left` or is `unavailable`."""

    at: datetime
    by: str
    because: Literal["amended", "filled", "fell_out", "left", "unavailable"]
    reason: str | None = Field(examples=["换班"])
    post: PostBrief
    on: date
    place: int
    old: PersonBrief | None
    new: PersonBrief | None


class RosterShown(Shown):
    """A week. `state` is `none` where there is nothing to see yet; a draft is seen only by those who plan."""

    monday: date
    state: Literal["none", "draft", "published"] = Field(examples=["published"])
    version: int
    published_at: datetime | None = Field(examples=["2021-07-30T08:00:00Z"])
    days: list[date]
    posts: list[PostShown]
    slots: list[SlotShown]
    gap_count: int = Field(examples=[0])
    problem_count: int = Field(examples=[0])
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
                "slots": [{"post_id": example_id("post"), "on": "2021-08-05", "place": 1, "person_id": example_id("person")}],
            }
        }
    }


class CheckWish(Body):
    """Places as they stand in the grid; what is not named stands as it was saved."""

    slots: list[SlotWish] = Field(max_length=1000)

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {"slots": [{"post_id": example_id("post"), "on": "2021-08-05", "place": 1, "person_id": example_id("person")}]}
        }
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
    gap_count: int = Field(examples=[0])
    problem_count: int = Field(examples=[1])


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
    reasons: list[ReasonShown] = Field(examples=[[]])
    hours_28_days: float
    weekend_hours_28_days: float


def days_of(monday: date) -> list[date]:
    """The seven days of a week."""
    return [monday + timedelta(days=number) for number in range(7)]
