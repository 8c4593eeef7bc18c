"""Pure: who is asked first, and which of a team fill which places."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from shared.refusals import Reason
from shared.rest import Limits, Span, what_forbids

NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """What ranks a person: whether they said that they cannot come to this shift, hours of duty and dispatch in the 28 days before,
    when the last of them ended, and whether somebody of the same team is there."""

    person_id: UUID
    hours: float
    last_end: datetime | None
    same_team: bool = False
    declined: bool = False


def order(one: Standing) -> tuple[bool, float, datetime, bool]:
    """Who declined this very shift last; fewest hours first, then whoever rested longest, then who is in a team with those there; equals
    stay in order of their names."""
    return one.declined, round(one.hours, 1), one.last_end or NEVER, not one.same_team


@dataclass(frozen=True, slots=True)
class Need:
    """Places of a role of a shift that nobody holds."""

    shift_id: UUID
    role: str
    count: int
    starts_at: datetime
    ends_at: datetime


@dataclass(slots=True)
class Plan:
    """Who would hold which places, how many stay empty, and the first reason against whoever is on none."""

    picked: list[tuple[Need, UUID]] = field(default_factory=list)
    missing: dict[tuple[UUID, str], int] = field(default_factory=dict)
    against: dict[UUID, Reason] = field(default_factory=dict)


def fill(
    needs: Sequence[Need],
    people: Sequence[Standing],
    booked: dict[UUID, list[Span]],
    unfit: Callable[[UUID, Need], Sequence[Reason]],
    limits: Limits,
) -> Plan:
    """Fill the needs in their order, each with the best-ranked who is fit, free and rested; who was picked ranks behind from then on.
    `people` come in order of their names; `booked` grows by what is picked."""
    plan = Plan()
    hours = {one.person_id: one.hours for one in people}
    last_end = {one.person_id: one.last_end for one in people}
    for need in needs:
        ranked = sorted(people, key=lambda one: order(Standing(one.person_id, hours[one.person_id], last_end[one.person_id])))
        left = need.count
        for one in ranked:
            if not left:
                break
            span = Span(one.person_id, one.person_id, need.starts_at, need.ends_at, "assignment")
            theirs = booked.setdefault(one.person_id, [])
            reasons = [*unfit(one.person_id, need), *what_forbids(span, theirs, limits)]
            if reasons:
                plan.against.setdefault(one.person_id, reasons[0])
                continue
            theirs.append(Span(need.shift_id, one.person_id, need.starts_at, need.ends_at, "assignment"))
            hours[one.person_id] += (need.ends_at - need.starts_at).total_seconds() / 3600
            last_end[one.person_id] = max(last_end[one.person_id] or NEVER, need.ends_at)
            plan.picked.append((need, one.person_id))
            left -= 1
        if left:
            plan.missing[need.shift_id, need.role] = left
    on = {person_id for _, person_id in plan.picked}
    plan.against = {person_id: reason for person_id, reason in plan.against.items() if person_id not in on}
    return plan
