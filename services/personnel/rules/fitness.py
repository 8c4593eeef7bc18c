"""Who may be sent where: rule sets as data, and from when until when a person meets them. Why so: docs/decisions/fitness.md."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from typing import NamedTuple, Protocol

from services.personnel.rules.programmes import PROGRAMMES
from services.personnel.rules.standing import Span
from shared.fitness import NONE


class Need(NamedTuple):
    """What a rule set asks: in this programme, to stand so."""

    programme: str
    standing: str = "complete"


RULE_SETS: Mapping[str, tuple[Need, ...]] = {
    "testing_point": (Need("covid19"),),
    "flood_rescue": (Need("tetanus"),),
    NONE: (),
}
"""Code (shared/fitness.py) -> all that it asks."""


class Fit(NamedTuple):
    """From the first day of the one until the day before the other; no end: for good. Not at all: without a beginning."""

    rule: str
    fit_from: date | None
    fit_until: date | None


class Stands(Protocol):
    """How a person stands in a programme, computed just now or on record."""

    @property
    def code(self) -> str: ...
    @property
    def valid_count(self) -> int: ...
    @property
    def needed_count(self) -> int: ...
    @property
    def next_from_on(self) -> date | None: ...


class Lack(NamedTuple):
    """What would put it right: so many doses in that programme, from that day on (none: any day). `standing` says how the person stands
    instead."""

    programme: str
    standing: str
    dose_count: int
    from_on: date | None


def rules_that_need(programme: str) -> list[str]:
    """The rule sets that a change in this programme may concern."""
    return [rule for rule, needs in RULE_SETS.items() if any(need.programme == programme for need in needs)]


def fit(rule: str, standings: Mapping[str, Sequence[Span]]) -> Fit:
    """The last unbroken time in which all that the rule set asks is met: doses lie in the past, so no other is still to come.

    `standings`: programme -> the spans of its timeline, or those of them that matter, in order of time.
    """
    first, last = date.min, date.max
    times = [(first, last)]
    for need in RULE_SETS[rule]:
        met = _times(span for span in standings.get(need.programme, ()) if span.standing.code == need.standing)
        times = [(max(a, c), min(b, d)) for a, b in times for c, d in met if max(a, c) < min(b, d)]
    if not times:
        return Fit(rule, None, None)
    first, last = max(times)
    return Fit(rule, first, None if last == date.max else last)


def _times(spans: Iterable[Span]) -> list[tuple[date, date]]:
    """What follows without a gap is one time."""
    found: list[tuple[date, date]] = []
    for span in spans:
        begin, end = span.from_on or date.min, span.until_on or date.max
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def lacking(rule: str, standings: Mapping[str, Stands]) -> list[Lack]:
    """What a person lacks who stands so; in a programme that has nothing of them on record, everything. An exemption takes the duty to be
    vaccinated, not the danger: doses alone put it right."""
    found = []
    for need in RULE_SETS[rule]:
        now = standings.get(need.programme)
        if now is None:
            found.append(Lack(need.programme, "unknown", PROGRAMMES[need.programme].usual.dose_count, None))
        elif now.code != need.standing:
            found.append(Lack(need.programme, now.code, max(now.needed_count - now.valid_count, 1), now.next_from_on))
    return found


def begins_at(on: date | None, zone: tzinfo) -> datetime | None:
    """The instant at which a local day begins."""
    return None if on is None else datetime.combine(on, time(), zone).astimezone(UTC)
