"""Which rows a caller may see, a line a table; the session adds it to every statement. One's own are also those of what one leads."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select

from services.dispatch.tables import (
    Assignment,
    KnownDepartment,
    KnownFitness,
    KnownPerson,
    OpenPlace,
    Operation,
    SampleCount,
    Shift,
    ShiftRole,
    Site,
    Team,
    TeamMember,
    TimeCorrection,
)
from shared.auth import Caller
from shared.db import Scope

Limit = ColumnElement[bool] | None
Owned = Callable[[UUID], ColumnElement[bool]]


def _reached(owned: Owned | None, *actions: str) -> Callable[[Caller], Limit]:
    """All rows where one of these actions reaches all, else what `owned` says is one's own."""

    def limit(caller: Caller) -> Limit:
        reaches = [caller.reach(action) for action in actions]
        if any(reach.everything for reach in reaches):
            return None
        own = next((reach.own for reach in reaches if reach.own), None)
        return owned(own) if own and owned else false()

    return limit


# Core selects: the limit is itself not limited again.


def _led_shifts(own: UUID) -> ColumnElement[bool]:
    shift = Shift.__table__
    return Assignment.shift_id.in_(select(shift.c.id).where(shift.c.leader_id == own))


def _own_corrections(own: UUID) -> ColumnElement[bool]:
    one, shift = Assignment.__table__, Shift.__table__
    led = select(shift.c.id).where(shift.c.leader_id == own)
    reached = select(one.c.id).where(or_(one.c.person_id == own, one.c.shift_id.in_(led)))
    return TimeCorrection.assignment_id.in_(reached)


def _led_sites(own: UUID) -> ColumnElement[bool]:
    shift, site = Shift.__table__, Site.__table__
    led = select(shift.c.site_id).where(shift.c.leader_id == own).union(select(site.c.id).where(site.c.leader_id == own))
    return SampleCount.site_id.in_(led)


def _own_team(own: UUID) -> ColumnElement[bool]:
    member = TeamMember.__table__
    mine = select(member.c.team_id).where(member.c.person_id == own)
    return or_(Team.leader_id == own, Team.deputy_id == own, Team.id.in_(mine))


def _own_member(own: UUID) -> ColumnElement[bool]:
    team = Team.__table__
    led = select(team.c.id).where(or_(team.c.leader_id == own, team.c.deputy_id == own))
    return or_(TeamMember.person_id == own, TeamMember.team_id.in_(led))


_ASSIGNMENTS = ("assignment.read", "assignment.confirm", "attendance.record")  # who frees people for a duty reads no lists

SCOPE: Scope = {
    Team: _reached(_own_team, "team.read"),
    TeamMember: _reached(_own_member, "team.read"),
    Operation: _reached(None, "operation.read"),
    Site: _reached(None, "operation.read"),
    Shift: _reached(None, "operation.read"),
    ShiftRole: _reached(None, "operation.read"),
    Assignment: _reached(lambda own: or_(Assignment.person_id == own, _led_shifts(own)), *_ASSIGNMENTS),
    TimeCorrection: _reached(_own_corrections, *_ASSIGNMENTS),
    OpenPlace: _reached(None, "candidate.read", "board.read"),
    SampleCount: _reached(_led_sites, "count.record", "board.read"),
    KnownFitness: _reached(lambda own: KnownFitness.person_id == own, "candidate.read", "assignment.answer"),
    KnownPerson: lambda caller: None,
    KnownDepartment: lambda caller: None,
}
