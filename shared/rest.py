"""Pure: what forbids to book a person's time. Nobody is in two places, nobody works past the limits of rest, whoever booked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.refusals import Reason

BREAK = timedelta(hours=1)
"""Two bookings with at most so much between them are one stretch with a break: rest is asked for after it, the hours in 24 h limit it."""
DAY = timedelta(hours=24)
UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Limits:
    """The institution's limits: the least rest after a booking, and the most hours in any 24."""

    rest_hours: float
    most_hours_in_24: float


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a person's time, half-open. `counted_hours`: how many of its hours count (None: all); `rest_hours`: what rest follows
    (None: the institution's least rest, and none within a stretch)."""

    ref: UUID
    person_id: UUID
    starts_at: datetime
    ends_at: datetime
    kind: str
    counted_hours: float | None = None
    rest_hours: float | None = None
    owner: str = ""

    @property
    def hours(self) -> float:
        """How many of its hours count."""
        return (self.ends_at - self.starts_at).total_seconds() / 3600 if self.counted_hours is None else self.counted_hours

    @property
    def rate(self) -> float:
        """How many hours count for each hour that passes."""
        hours = (self.ends_at - self.starts_at).total_seconds() / 3600
        return 1.0 if self.counted_hours is None or not hours else self.counted_hours / hours


def overlaps(one: Span, other: Span) -> bool:
    """A span that begins the minute another ends does not overlap it."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def what_forbids(wanted: Span, booked: Iterable[Span], limits: Limits) -> list[Reason]:
    """Domain rules 1 and 9, the hardest first: `overlap`, `unavailable`, `too_little_rest`, `too_many_hours`."""
    around = [span for span in booked if span.ref != wanted.ref]
    working = [span for span in around if span.kind != UNAVAILABLE]
    reasons = [
        Reason("unavailable") if span.kind == UNAVAILABLE else Reason("overlap", _named(span)) for span in around if overlaps(wanted, span)
    ]
    reasons.sort(key=lambda reason: reason.code)
    if not any(overlaps(wanted, span) for span in working):
        reasons += _too_little_rest(wanted, working, limits)
    starts_at, ends_at = wanted.starts_at - DAY, wanted.ends_at + DAY
    near = [wanted, *(span for span in working if span.ends_at > starts_at and span.starts_at < ends_at)]
    most = limits.most_hours_in_24 + 1e-6
    if sum(span.hours for span in near) > most and (hours := most_hours(near, within=wanted)) > most:
        reasons.append(Reason("too_many_hours", {"hours": round(hours, 1), "most": limits.most_hours_in_24}))
    return reasons


def _named(span: Span) -> dict[str, object]:
    return {
        "kind": span.kind,
        "starts_at": span.starts_at.isoformat(),
        "ends_at": span.ends_at.isoformat(),
        "owner": span.owner,
        "ref": str(span.ref),
    }


def _too_little_rest(wanted: Span, working: Sequence[Span], limits: Limits) -> list[Reason]:
    found = []
    before = max((span for span in working if span.ends_at <= wanted.starts_at), key=lambda span: span.ends_at, default=None)
    after = min((span for span in working if span.starts_at >= wanted.ends_at), key=lambda span: span.starts_at, default=None)
    for span in working:
        if span is not before and span is not after and span.rest_hours is None and wanted.rest_hours is None:
            continue  # between the two lies a third, which belongs to the stretch or was rested before
        first, second = (span, wanted) if span.ends_at <= wanted.starts_at else (wanted, span)
        pause = second.starts_at - first.ends_at
        least = rest_after(first, pause, limits)
        if pause < least:
            hours = {"hours": round(pause.total_seconds() / 3600, 1), "least": least.total_seconds() / 3600}
            found.append(Reason("too_little_rest", {**_named(span), **hours, "free_at": (first.ends_at + least).isoformat()}))
    return found


def rest_after(span: Span, pause: timedelta, limits: Limits) -> timedelta:
    """How much rest must follow this span when the next begins after `pause`."""
    if span.rest_hours is not None:
        return timedelta(hours=span.rest_hours)
    return timedelta(0) if pause <= BREAK else timedelta(hours=limits.rest_hours)


def most_hours(spans: Sequence[Span], within: Span) -> float:
    """The most counted hours in any 24 hours that touch `within`.

    The sum is piecewise linear in the window's beginning and bends only where a span begins or ends at one of the window's edges.
    """
    edges = {edge for span in spans for edge in (span.starts_at, span.ends_at)}
    beginnings = (begin for edge in edges for begin in (edge, edge - DAY) if begin <= within.ends_at and begin + DAY >= within.starts_at)
    return max((sum(_counted(span, begin) for span in spans) for begin in beginnings), default=0.0)


def _counted(span: Span, begin: datetime) -> float:
    inside = min(span.ends_at, begin + DAY) - max(span.starts_at, begin)
    return max(inside.total_seconds(), 0.0) / 3600 * span.rate
