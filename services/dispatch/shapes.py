"""What dispatch answers, where several slices answer the same."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path

from shared.web import Shown

EXAMPLE_ID = "0198a3f2-7c41-7d3e-9b5a-2f6c8d1e4a70"

TeamId = Annotated[UUID, Path(examples=[EXAMPLE_ID])]
OperationId = Annotated[UUID, Path(examples=[EXAMPLE_ID])]
SiteId = Annotated[UUID, Path(examples=[EXAMPLE_ID])]
ShiftId = Annotated[UUID, Path(examples=[EXAMPLE_ID])]
AssignmentId = Annotated[UUID, Path(examples=[EXAMPLE_ID])]
OperationKind = Literal["testing", "gate", "flood", "clinic", "other"]
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
    state: AssignmentStanding
    starts_at: datetime
    ends_at: datetime
    walk_on: bool
    late: bool
    asked_at: datetime
    answered_at: datetime | None
    reason: str | None
    override_reason: str | None
    override_by: str | None
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    version: int


class Unplaced(Shown):
    """Who could not be put on a shift, and why."""

    person: PersonBrief
    code: str
    params: dict[str, object]
