"""Pure: who is asked first, and which of a team fill which places."""

from bisect import insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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
    """Places of a role of a shift that nobody holds, beside those `taken`."""

    shift_id: UUID
    role: str
    count: int
    starts_at: datetime
    ends_at: datetime
    taken: int = 0


@dataclass(slots=True)
class Plan:
    """Who would hold which places, how many stay empty, and the first reason against whoever is on none."""

    picked: list[tuple[Need, UUID]] = field(default_factory=list)
    missing: dict[tuple[UUID, str], int] = field(default_factory=dict)
    against: dict[UUID, Reason] = field(default_factory=dict)


def in_turn(needs: Sequence[Need]) -> list[Need]:
    """The needs, one for each of their places, in the order in which they are filled: everywhere the first place of the first role, then of
    the second; then the second places. Too few people are spread, and no shift is full while another has nobody.
    """
    rank: Counter[UUID] = Counter()
    places = []
    for number, need in enumerate(needs):
        places += [((need.taken + at, rank[need.shift_id], number), need) for at in range(need.count)]
        rank[need.shift_id] += 1
    return [need for _, need in sorted(places, key=lambda one: one[0])]


def fill(
    needs: Sequence[Need],
    people: Sequence[Standing],
    booked: dict[UUID, list[Span]],
    unfit: Callable[[UUID, Need], Sequence[Reason]],
    limits: Limits,
) -> Plan:
    """Fill the places in turn, each with the best-ranked who is fit, free and rested; who was picked ranks behind from then on. Needs come
    in order of time, a shift's in order of its roles, people in order of their names; `booked` grows by what is picked."""
    plan, left = Plan(), in_turn(needs)
    turns = {one.person_id: number for number, one in enumerate(people)}
    ranked = sorted((order(one), turns[one.person_id], one) for one in people)
    while left:  # whoever was picked between two shifts may do the third: asked again until nobody is found any more
        empty, cannot = [], set[tuple[UUID, UUID]]()
        for need in left:
            best = next((one for one in ranked if _can(one[2].person_id, need, booked, unfit, limits, cannot, plan)), None)
            if best is None:
                empty.append(need)
                continue
            who = best[2]
            booked.setdefault(who.person_id, []).append(Span(need.shift_id, who.person_id, need.starts_at, need.ends_at, "assignment"))
            plan.picked.append((need, who.person_id))
            hours = who.hours + (need.ends_at - need.starts_at).total_seconds() / 3600
            after = replace(who, hours=hours, last_end=max(who.last_end or NEVER, need.ends_at))
            ranked.remove(best)
            insort(ranked, (order(after), best[1], after))
        if len(empty) == len(left):
            break
        left = empty
    plan.missing = dict(Counter((need.shift_id, need.role) for need in left))
    on = {person_id for _, person_id in plan.picked}
    plan.against = {person_id: reason for person_id, reason in plan.against.items() if person_id not in on}
    return plan


def _can(
    person_id: UUID,
    need: Need,
    booked: dict[UUID, list[Span]],
    unfit: Callable[[UUID, Need], Sequence[Reason]],
    limits: Limits,
    cannot: set[tuple[UUID, UUID]],
    plan: Plan,
) -> bool:
    """Does nothing forbid this person the shift? What does is kept, so that the next place of the shift need not ask again."""
    if (person_id, need.shift_id) in cannot:
        return False
    span = Span(person_id, person_id, need.starts_at, need.ends_at, "assignment")
    reasons = [*unfit(person_id, need), *what_forbids(span, booked.get(person_id, ()), limits)]
    if reasons:
        cannot.add((person_id, need.shift_id))
        plan.against.setdefault(person_id, reasons[0])
    return not reasons
