"""One's own time as pages show it: duties and shifts in one line, what is next, what is over, and the hours that it adds up to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.services import dispatch, duty
from shared.clock import zone

OFF = frozenset({"declined", "released"})
ANSWERABLE = frozenset({"proposed", "confirmed"})
EARLY = timedelta(hours=1)
TAKES_BACK = timedelta(minutes=30)
LATE = timedelta(hours=4)  # so long after the end one can still check out
LOOKS_BACK, LOOKS_AHEAD = timedelta(days=28), timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Entry:
    """A duty or a shift. `hours`: of a duty that is over as the roster has it, of a shift as long as one was there."""

    kind: str
    id: str
    starts_at: datetime
    ends_at: datetime
    next_day: bool
    hours: float
    over: bool
    told: Mapping[str, Any]

    @property
    def state(self) -> str:
        """How it stands; a duty is confirmed by being published."""
        return str(self.told["state"]) if self.kind == "shift" else "confirmed"


async def own_time(now: datetime) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """One's own duties and shifts of the last 28 and the next 60 days; None for those of a service that cannot be reached."""
    first, last = (now - LOOKS_BACK).date().isoformat(), (now + LOOKS_AHEAD).date().isoformat()
    found = await asyncio.gather(
        duty.try_get("/duties/mine", **{"from": first, "until": last}), dispatch.try_get("/assignments/mine", **{"from": first})
    )
    return found[0], found[1]


def entries_of(duties: Mapping[str, Any] | None, shifts: Mapping[str, Any] | None, now: datetime) -> list[Entry]:
    """Duties and shifts in order of time; what one is off and what was cancelled stays in it, so that one reads why."""
    found = [_entry("duty", one, now) for one in (duties or {"items": []})["items"]]
    found += [_entry("shift", one, now) for one in (shifts or {"items": []})["items"]]
    return sorted(found, key=lambda one: (one.starts_at, one.ends_at))


def _entry(kind: str, told: Mapping[str, Any], now: datetime) -> Entry:
    starts_at, ends_at = (datetime.fromisoformat(told[name]).astimezone(zone()) for name in ("starts_at", "ends_at"))
    there = told.get("state") == "checked_in" and now <= ends_at + LATE  # not over before one has checked out
    over = (ends_at <= now and not there) or told.get("state") in ("checked_out", "no_show") or told.get("state") in OFF
    gone = (ends_at - starts_at).total_seconds() / 3600 if ends_at <= now else 0.0
    next_day = (ends_at - timedelta(microseconds=1)).date() != starts_at.date()
    hours = float(told["hours"]) if kind == "shift" else gone
    return Entry(kind, str(told["id"]), starts_at, ends_at, next_day, round(hours, 1), over, told)


def coming(entries: Sequence[Entry]) -> list[Entry]:
    """What is still to be done, the first first."""
    return [one for one in entries if not one.over and one.told.get("shift_state") != "cancelled"]


def past(entries: Sequence[Entry]) -> list[Entry]:
    """What is over, the latest first: declined and cancelled too."""
    return [one for one in reversed(entries) if one.over or one.told.get("shift_state") == "cancelled"]


def hours_of(entries: Sequence[Entry], kind: str = "") -> float:
    """What these add up to; just what stands beside each of them."""
    return round(sum(one.hours for one in entries if not kind or one.kind == kind), 1)


def can_take_back(entry: Entry, now: datetime) -> bool:
    """Did one sign up for this by oneself just now? Asked and answered in one instant, as the service sees it."""
    if entry.kind != "shift" or entry.state != "confirmed" or entry.told["answered_at"] != entry.told["asked_at"]:
        return False
    return now < min(entry.starts_at, datetime.fromisoformat(entry.told["asked_at"]) + TAKES_BACK)


def can_check_in(entry: Entry, now: datetime) -> bool:
    """Is it the time to check in, as the service will see it?"""
    return entry.kind == "shift" and entry.state in ANSWERABLE and entry.starts_at - EARLY <= now < entry.ends_at
