"""Which rows a caller may see, a line a table; the session adds it to every statement."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, false

from services.duty.tables import Amendment, Duty, Feed, Gap, KnownAssignment, KnownDepartment, KnownPerson, KnownShift, Post, Roster
from shared.auth import Caller
from shared.db import Scope

Limit = ColumnElement[bool] | None


def _plans(caller: Caller) -> bool:
    return caller.reach("roster.plan").everything


def _published(limit: ColumnElement[bool]) -> Callable[[Caller], Limit]:
    """What is published hangs on the wall; a draft is seen by those who plan."""

    def rows(caller: Caller) -> Limit:
        if _plans(caller):
            return None
        return limit if caller.reach("roster.read") else false()

    return rows


SCOPE: Scope = {
    Post: lambda caller: None if caller.reach("post.read") else false(),
    Roster: _published(Roster.state == "published"),
    Duty: _published(Duty.state != "draft"),
    Amendment: lambda caller: None if caller.reach("roster.read") else false(),
    Gap: lambda caller: None if _plans(caller) else false(),  # why somebody fell out is not for the wall
    Feed: lambda caller: Feed.person_id == caller.person_id if caller.person_id else false(),
    KnownAssignment: lambda caller: KnownAssignment.person_id == caller.person_id if caller.person_id else false(),
    KnownShift: lambda caller: false(),  # the feed alone reads it
    KnownPerson: lambda caller: None if caller.reach("roster.read") else false(),
    KnownDepartment: lambda caller: None,
}
