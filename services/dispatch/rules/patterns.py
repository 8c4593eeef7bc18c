"""Pure: shifts from a pattern of local wall-clock times, also across midnight and where the clock is changed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST = timedelta(hours=25)
"""No shift is longer: a whole day, of which the one in autumn has an hour more."""


@dataclass(frozen=True, slots=True)
class Times:
    """When a shift begins and ends by the clock on the wall; one that does not end later than it begins ends the next day."""

    begins: time
    ends: time


def instant(on: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant the wall shows this time. Where it shows it twice, the first; where it never does, the instant the clock jumps.

    So a later time is never an earlier instant, and of two shifts that touch on the wall the second begins when the first ends.
    """
    wall = datetime.combine(on, at)
    early, late = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late or early.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return early
    return _jump(early, late, zone)


def _jump(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the clock goes as it does afterwards."""
    before = early.astimezone(zone).utcoffset()
    low, high = 0, int((late - early).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(zone).utcoffset() == before:
            low = middle + 1
        else:
            high = middle
    return early + timedelta(seconds=low)


def span_of(on: date, times: Times, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """From when until when a shift of that day lasts; None on a day whose clock skips all of it."""
    next_day = times.ends <= times.begins
    starts_at = instant(on, times.begins, zone)
    ends_at = instant(on + timedelta(days=1) if next_day else on, times.ends, zone)
    return (starts_at, ends_at) if starts_at < ends_at else None


def spans(days: Iterable[date], pattern: Sequence[Times], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Every shift of the pattern on these days, in order of the days."""
    for on in days:
        for times in pattern:
            if (span := span_of(on, times, zone)) is not None:
                yield span


def same_times(starts_at: datetime, ends_at: datetime, on: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The same times by the wall's clock on another day, as many days long."""
    local_start, local_end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    ends_on = on + (local_end.date() - local_start.date())
    found = instant(on, local_start.time(), zone), instant(ends_on, local_end.time(), zone)
    return found if found[0] < found[1] else None


def day_bounds(on: date, zone: ZoneInfo, days: int = 1) -> tuple[datetime, datetime]:
    """The instants between which these local days lie."""
    return instant(on, time(0), zone), instant(on + timedelta(days=days), time(0), zone)


def days_between(from_on: date, until_on: date) -> list[date]:
    """Both ends among them."""
    return [from_on + timedelta(days=i) for i in range((until_on - from_on).days + 1)]


def forbidden_span(starts_at: datetime, ends_at: datetime) -> str | None:
    """`ends_before_start`, `shift_too_long`, or nothing."""
    if ends_at <= starts_at:
        return "ends_before_start"
    return "shift_too_long" if ends_at - starts_at > LONGEST else None
