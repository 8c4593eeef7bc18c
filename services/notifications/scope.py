"""Which rows a caller may see, a line a table; the session adds it to every statement."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from services.notifications.tables import (
    Alert,
    AlertPerson,
    Correction,
    Delivery,
    KnownAssignment,
    KnownContact,
    KnownDepartment,
    KnownHolder,
    KnownPerson,
    KnownShift,
    KnownTeam,
    Notice,
    NoticeDepartment,
    Recipient,
    Record,
    Reminder,
    Webhook,
)
from shared.auth import Caller
from shared.below import with_everything_below
from shared.db import Scope

Limit = ColumnElement[bool] | None
_ISSUED, _NUMBERS = Notice.__table__, NoticeDepartment.__table__  # core: a limit is itself not limited again
_MINE, _ALERTED = Recipient.__table__, AlertPerson.__table__


def _own(person_id: InstrumentedAttribute[UUID], caller: Caller) -> ColumnElement[bool]:
    return person_id == caller.person_id if caller.person_id else false()


def _of_department(department_id: Any, departments: Collection[UUID]) -> ColumnElement[bool]:
    return department_id.in_(with_everything_below(KnownDepartment, departments)) if departments else false()


def _all_progress(caller: Caller) -> bool:
    return caller.reach("notice.progress").everything or caller.reach("notice.issue").everything


def _about_health(notice_id: Any, caller: Caller) -> Limit:
    """Not those whose audience tells how people stand, unless one issued it; all for whoever may read whom to urge anyway."""
    if caller.reach("urge.read").everything:
        return None
    hidden = select(_ISSUED.c.id).where(_ISSUED.c.about_health)
    if caller.person_id:
        hidden = hidden.where(_ISSUED.c.issued_by.is_distinct_from(caller.person_id))
    seen: ColumnElement[bool] = notice_id.not_in(hidden)
    return seen


def _followed(notice_id: Any, caller: Caller, reached: ColumnElement[bool]) -> ColumnElement[bool]:
    plain = _about_health(notice_id, caller)
    return reached if plain is None else and_(reached, plain)


def _notices(caller: Caller) -> Limit:
    if _all_progress(caller) and caller.reach("urge.read").everything:
        return None
    reached: list[ColumnElement[bool]] = []
    if caller.person_id:
        reached.append(Notice.id.in_(select(_MINE.c.notice_id).where(_MINE.c.person_id == caller.person_id)))
    if _all_progress(caller):
        reached.append(_followed(_ISSUED.c.id, caller, true()))
    for action, whole in (("notice.progress", False), ("urge.read", True)):
        if departments := caller.reach(action).departments:
            theirs = select(_NUMBERS.c.notice_id).where(_of_department(_NUMBERS.c.department_id, departments))
            inside = Notice.id.in_(theirs)
            reached.append(inside if whole else _followed(_ISSUED.c.id, caller, inside))
    return or_(false(), *reached)


def _counted(person_id: InstrumentedAttribute[UUID] | None, notice_id: Any, department_id: Any = None) -> Callable[[Caller], Limit]:
    """One's own rows, those of the departments one answers for, or all."""

    def limit(caller: Caller) -> Limit:
        everything = _all_progress(caller)
        if everything and caller.reach("urge.read").everything:
            return None
        own = _own(person_id, caller) if person_id is not None else false()
        if department_id is None:
            return or_(own, _followed(notice_id, caller, true())) if everything else own
        theirs = true() if everything else _of_department(department_id, caller.reach("notice.progress").departments)
        return or_(own, _followed(notice_id, caller, theirs), _of_department(department_id, caller.reach("urge.read").departments))

    return limit


def _of_notices(notice_id: Any) -> Callable[[Caller], Limit]:
    """What belongs to a notice that one may see."""

    def limit(caller: Caller) -> Limit:
        seen = _notices(caller)
        return None if seen is None else notice_id.in_(select(_ISSUED.c.id).where(seen))

    return limit


_SEE_TO = {"gap": {"duty_planner", "leader", "administrator"}, "place": {"coordinator", "leader", "administrator"}}
_IN_THE_ISSUERS_PLACE = {"leader", "coordinator", "administrator", "health"}


def _alerts(caller: Caller) -> Limit:
    """What one was told and can still see to: it names people, and whoever held the role once reads of them no more."""
    if not caller.person_id:
        return false()
    seen: list[ColumnElement[bool]] = [Alert.id.in_(select(_ALERTED.c.alert_id).where(_ALERTED.c.person_id == caller.person_id))]
    seen.append(Alert.kind.not_in([kind for kind, roles in _SEE_TO.items() if not caller.roles & roles]))
    answered_for = caller.reach("notice.progress")
    if not answered_for.everything:
        seen.append(or_(Alert.department_id.is_(None), _of_department(Alert.department_id, answered_for.departments)))
    if not caller.roles & _IN_THE_ISSUERS_PLACE:
        issued = Alert.notice_id.in_(select(_ISSUED.c.id).where(_ISSUED.c.issued_by == caller.person_id))
        seen.append(or_(Alert.notice_id.is_(None), Alert.department_id.is_not(None), issued))
    return and_(*seen)


def _webhooks(caller: Caller) -> Limit:
    return None if caller.reach("webhook.change").everything else false()


def _assignments(caller: Caller) -> Limit:
    return None if caller.reach("assignment.read").everything else _own(KnownAssignment.person_id, caller)


SCOPE: Scope = {
    Notice: _notices,
    Recipient: _counted(Recipient.person_id, Recipient.notice_id, Recipient.department_id),
    NoticeDepartment: _counted(None, NoticeDepartment.notice_id, NoticeDepartment.department_id),
    Record: _counted(Record.person_id, Record.notice_id, Record.department_id),
    Correction: lambda caller: None,  # found through its record alone
    Reminder: _of_notices(Reminder.notice_id),
    Delivery: _counted(Delivery.person_id, Delivery.notice_id),
    Alert: _alerts,
    AlertPerson: lambda caller: _own(AlertPerson.person_id, caller),
    Webhook: _webhooks,
    KnownPerson: lambda caller: None,
    KnownDepartment: lambda caller: None,
    KnownContact: lambda caller: false(),  # asked for by the system alone, behind a slice's door
    KnownHolder: lambda caller: false(),
    KnownTeam: lambda caller: None,
    KnownShift: lambda caller: None,
    KnownAssignment: _assignments,
}
