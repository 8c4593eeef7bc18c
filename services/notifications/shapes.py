"""What notifications answers, where several slices answer the same."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import Field

from shared.story import example_id
from shared.web import Body, Shown

NoticeId = Annotated[UUID, Path(examples=[example_id("notice")])]
NoticeKind = Literal["order", "information", "alert"]
AudienceKind = Literal["everyone", "departments", "teams", "shift", "people"]
Method = Literal["group_chat", "in_person", "meeting"]
RecipientState = Literal["told", "opened", "by_head", "read", "done"]
MOST_IDS = 10_000


class Audience(Body):
    """Whom a notice is for. Departments mean everything below them; a shift, whoever is on it; ids of people who are gone count nobody."""

    kind: AudienceKind
    ids: list[UUID] = Field(default_factory=list, max_length=MOST_IDS, description="Of the kind that was chosen; none for everyone")

    model_config = Body.model_config | {"json_schema_extra": {"example": {"kind": "departments", "ids": [example_id("department")]}}}


class DepartmentBrief(Shown):
    """Which department it is."""

    id: UUID
    name: str


class PersonBrief(Shown):
    """Who it is; without a name when the record was removed at the end of its keep time."""

    id: UUID
    name: str
    number: str | None = None
    department: str | None = None


class AudienceShown(Shown):
    """Whom a notice is for, with the names of the first of them."""

    kind: AudienceKind
    ids: list[UUID] = Field(examples=[[]])
    names: list[str] = Field(examples=[[]])


class Counts(Shown):
    """How people stand with a notice: those told are missing, read by themselves, or recorded by the head. Late ones are among both."""

    told_count: int = 0
    opened_count: int = 0
    read_count: int = 0
    by_head_count: int = 0
    done_count: int = 0
    late_count: int = 0
    done_late_count: int = 0
    missing_count: int = 0
    not_done_count: int = 0


class Withdrawn(Shown):
    """A notice that no longer holds."""

    at: datetime
    by: str
    reason: str


class NoticeShown(Shown):
    """A notice as those who follow its progress see it; `totals` counts whom the caller may see."""

    id: UUID
    kind: NoticeKind
    state: Literal["issued", "withdrawn"]
    title: str
    text: str
    title_en: str | None
    text_en: str | None
    audience: AudienceShown
    deadline_at: datetime | None
    overdue: bool
    asks_done: bool
    done_deadline_at: datetime | None
    mail: bool = Field(examples=[True])
    issued_by: str
    issued_by_me: bool
    issued_at: datetime
    head_count: int = Field(examples=[120])
    withdrawn: Withdrawn | None
    totals: Counts


class RecordShown(Shown):
    """How somebody was told otherwise, and who says so."""

    id: UUID
    method: Method = Field(examples=["in_person"])
    note: str | None = Field(examples=["在门岗当面传达，本人口头回复。"])
    by: str
    at: datetime
    corrected: Withdrawn | None = Field(description="The record was wrong, and does not count")


AlertKind = Literal["missing", "not_done", "gap", "place", "shift_moved", "shift_cancelled"]
"""What somebody has to see to; the inbox says each in a sentence."""


class AlertShown(Shown):
    """Something to see to. `params` holds what its sentence needs; people are named beside it."""

    id: UUID
    kind: AlertKind = Field(examples=["place"])
    opened_at: datetime
    seen_at: datetime | None
    closed_at: datetime | None
    notice_id: UUID | None = Field(examples=[None])
    department: DepartmentBrief | None
    params: dict[str, Any] = Field(
        examples=[
            {
                "operation": "社区核酸检测支援",
                "site": "东门采样点",
                "role": "信息登记",
                "starts_at": "2021-08-05T04:40:00Z",
                "ends_at": "2021-08-05T09:20:00Z",
                "because": "declined",
            }
        ]
    )
    person: PersonBrief | None
    closed_by: PersonBrief | None
    candidates: list[PersonBrief]
    missing: list[PersonBrief] = Field(examples=[[]])
    missing_count: int | None = Field(examples=[None], description="Of those missing at the deadline, so many are missing still")
