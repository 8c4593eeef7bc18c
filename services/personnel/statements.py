"""Statements: what a person said of a programme without a dose to show: declined, not started, had elsewhere."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from sqlalchemy import select

from services.personnel.acts import compute_standing
from services.personnel.reads import DEFAULT_PROGRAMME, shown_statement, standing_shown
from services.personnel.rules.standing import span_on
from services.personnel.shapes import ProgrammeCode, StandingShown, StatementShown
from services.personnel.tables import Person, Statement
from shared.auth import Caller, require
from shared.clock import now, today
from shared.db import Tx
from shared.refusals import wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Note, Shown

statements = Slice(prefix="/statements", tags=["statements"])


class NewStatement(Body):
    """What somebody said, and on which day. A later statement or dose takes its place."""

    person_id: UUID
    programme: ProgrammeCode = DEFAULT_PROGRAMME  # type: ignore[assignment]
    kind: Literal["declined", "not_started", "elsewhere"]
    on: date
    note: Note | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {"person_id": example_id("person"), "programme": "covid19", "kind": "declined", "on": "2021-08-04"}
        }
    }


class StatementRecorded(Shown):
    """The statement, and what it did to the person's standing."""

    person_id: UUID
    statement: StatementShown
    standing: StandingShown


@statements.post("", status_code=201)
async def record_statement(wish: NewStatement, caller: Annotated[Caller, require("statement.record")], tx: Tx) -> StatementRecorded:
    """Record what somebody said of a programme. 422: a day to come or before the birth, a person who is not here."""
    person = await tx.scalar(select(Person).where(Person.id == wish.person_id).with_for_update())
    if person is None:
        raise wrong("person_id", "unknown_id")
    if wish.on > today():
        raise wrong("on", "in_future")
    if wish.on.year < 1900:
        raise wrong("on", "too_long_ago")
    if person.born_on and wish.on < person.born_on:
        raise wrong("on", "before_birth")
    row = Statement(**wish.model_dump(), recorded_by=caller.id, recorded_by_name=caller.name, recorded_at=now())
    tx.add(row)
    _, spans = await compute_standing(tx, person, row.programme)
    standing = standing_shown(span_on(spans, today()).standing, row.programme, today())
    return StatementRecorded(person_id=person.id, statement=shown_statement(row), standing=standing)
