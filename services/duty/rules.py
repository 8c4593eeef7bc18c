"""Pure: the slots of a week on the institution's clock, what is wrong with a roster, and who is asked first to stand in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol
from uuid import UUID

from shared.refusals import Reason
from shared.rest import UNAVAILABLE, Limits, Span, what_forbids

WEEK = timedelta(days=7)
LOOKS_BACK = timedelta(days=28)
"""Over how long the hours of those who may be asked are summed."""
SATURDAY = 5

Key = tuple[UUID, date, int]
"""A place of a roster: post, day, and which of the post's places."""


class PostLike(Protocol):
    """What the rules need to know of a post."""

    @property
    def id(self) -> UUID: ...
    @property
    def starts_at_time(self) -> str: ...
    @property
    def hours(self) -> float: ...
    @property
    def head_count(self) -> int: ...
    @property
    def counted_hours(self) -> float | None: ...
    @property
    def rest_hours(self) -> float | None: ...
    @property
    def pool_departments(self) -> list[UUID]: ...
    @property
    def pool_people(self) -> list[UUID]: ...


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that somebody must hold, between two instants."""

    post_id: UUID
    on: date
    place: int
    starts_at: datetime
    ends_at: datetime

    @property
    def key(self) -> Key:
        """By which it is found."""
        return self.post_id, self.on, self.place


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be asked: how they are sorted by name, and what is booked of them from 28 days before on."""

    person_id: UUID
    sort_key: str
    booked: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate, what forbids them, and the hours of 28 days by which they were ranked."""

    person_id: UUID
    reasons: tuple[Reason, ...]
    hours: float
    weekend_hours: float


def instant(on: date, at: time, zone: tzinfo) -> datetime:
    """What the clock on the wall means, in UTC. Of an hour that comes twice the first is meant; a time that the clock leaps over is the
    moment of the leap. So a later time on the wall is never an earlier moment, and who ends when another begins leaves no gap."""
    wall = datetime.combine(on, at, tzinfo=zone)
    first, second = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    if first <= second:  # there is such a time: once, or twice
        return first
    before, after = second, first  # the leap lies between the two readings
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=1) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def day_begins(on: date, zone: tzinfo) -> datetime:
    """The first moment of a day, in UTC."""
    return instant(on, time.min, zone)


def slots_of(post: PostLike, on: date, zone: tzinfo) -> list[Slot]:
    """The places of a post on a day. Where the clock leaps over all of its hours, there are none."""
    at = time.fromisoformat(post.starts_at_time)
    until = datetime.combine(on, at) + timedelta(hours=post.hours)
    starts_at, ends_at = instant(on, at, zone), instant(until.date(), until.time(), zone)
    if starts_at >= ends_at:
        return []
    return [Slot(post.id, on, place, starts_at, ends_at) for place in range(1, post.head_count + 1)]


def slots_of_week(monday: date, posts: Sequence[PostLike], zone: tzinfo) -> list[Slot]:
    """Every place that must be held in the week: post by post, day by day."""
    days = [monday + timedelta(days=number) for number in range(7)]
    return [slot for post in posts for on in days for slot in slots_of(post, on, zone)]


def time_of(slot: Slot, post: PostLike, ref: UUID, person_id: UUID, begins_at: datetime | None = None) -> Span:
    """What holding this place takes of the person's time. Who takes over later is booked from then on, with their share of the hours."""
    starts_at = max(slot.starts_at, begins_at) if begins_at else slot.starts_at
    return Span(ref, person_id, starts_at, slot.ends_at, "duty", share(post, slot, slot.ends_at - starts_at), post.rest_hours)


def share(post: PostLike, slot: Slot, served: timedelta) -> float | None:
    """How many of the hours served count."""
    return None if post.counted_hours is None else post.counted_hours * (served / (slot.ends_at - slot.starts_at))


def in_pool(post: PostLike, person_id: UUID, department_id: UUID, reached: Collection[UUID]) -> bool:
    """May this person hold the post? `reached`: the departments of its pool with everything below them."""
    if not post.pool_departments and not post.pool_people:
        return True
    return person_id in post.pool_people or department_id in reached


def gaps(slots: Sequence[Slot], held: Mapping[Key, UUID]) -> list[Slot]:
    """The places that nobody holds."""
    return [slot for slot in slots if slot.key not in held]


def counted(spans: Sequence[Span], starts_at: datetime, zone: tzinfo) -> tuple[float, float]:
    """The counted hours of the 28 days before an instant, and those of them that lie on weekends, by the day they begin."""
    hours = weekend = 0.0
    for span in spans:
        inside = (min(span.ends_at, starts_at) - max(span.starts_at, starts_at - LOOKS_BACK)).total_seconds() / 3600
        if span.kind == UNAVAILABLE or inside <= 0:
            continue
        hours += inside * span.rate
        if span.starts_at.astimezone(zone).weekday() >= SATURDAY:
            weekend += inside * span.rate
    return hours, weekend


def rank(wanted: Span, candidates: Sequence[Candidate], limits: Limits, zone: tzinfo) -> list[Ranked]:
    """Whom to ask, the best first: who is free and rested, then who had the fewest hours in 28 days. For a place on a weekend the hours
    of weekends go before the others, so that not the same people hold every Sunday."""
    on_weekend = wanted.starts_at.astimezone(zone).weekday() >= SATURDAY
    found = []
    for one in candidates:
        reasons = tuple(what_forbids(wanted, one.booked, limits))
        hours, weekend_hours = counted(one.booked, wanted.starts_at, zone)
        place = (bool(reasons), weekend_hours if on_weekend else 0.0, hours, one.sort_key, str(one.person_id))
        found.append((place, Ranked(one.person_id, reasons, round(hours, 1), round(weekend_hours, 1))))
    return [ranked for _, ranked in sorted(found, key=lambda pair: pair[0])]
