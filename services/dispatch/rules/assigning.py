"""Pure: what forbids to put somebody on a shift, and which steps an assignment may go."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.dispatch.rules.moving import is_fit
from shared.refusals import Reason

COMES_EARLY = timedelta(hours=1)
"""So long before the beginning somebody may check in."""
TAKES_BACK = timedelta(minutes=30)
"""So long after it one's own sign-up can be taken back; nobody has planned on it yet."""
LEAVES_LATE = timedelta(hours=4)
"""So long after the end a departure is believed. Who checks out later forgot to: the hours until then were not worked."""
ON_TIME = timedelta(minutes=1)
"""Who comes while the clock still shows the minute of the beginning is on time."""

STEPS: Mapping[str, frozenset[str]] = {
    "proposed": frozenset({"confirmed", "declined", "released", "checked_in", "no_show"}),
    "confirmed": frozenset({"proposed", "declined", "released", "checked_in", "no_show"}),
    "checked_in": frozenset({"checked_out", "released"}),
    "no_show": frozenset({"checked_in"}),
    "checked_out": frozenset(),
    "declined": frozenset(),
    "released": frozenset(),
}
"""Where an assignment may go from where it stands. Back to `proposed` only when its shift moves; who did not come may still come."""

CORRECTABLE = frozenset({"checked_in", "checked_out"})
"""Whose times can be said anew. That somebody went can itself be the mistake: a correction leads back to `checked_in` too."""

_ALREADY = {
    "confirmed": "confirmed_already",
    "checked_in": "checked_in_already",
    "checked_out": "checked_out_already",
    "declined": "off_already",
    "released": "off_already",
    "no_show": "no_show_already",
}


def forbidden_step(state: str, to: str) -> str | None:
    """The code that forbids this step, or nothing."""
    if to in STEPS[state]:
        return None
    return "not_checked_in" if to == "checked_out" and state in ("proposed", "confirmed", "no_show") else _ALREADY[state]


def forbidden_correction(state: str) -> str | None:
    """The code that forbids to correct the times of who stands so, or nothing."""
    return None if state in CORRECTABLE else "off_already" if state in ("declined", "released") else "not_checked_in"


def forbidden_taking_back(state: str, asked_at: datetime, answered_at: datetime | None, starts_at: datetime, at: datetime) -> str | None:
    """Why this cannot be taken back, or nothing. Whoever signs up is asked and answers in the same instant; nobody else does."""
    own = state == "confirmed" and answered_at == asked_at
    return None if own and at < min(starts_at, asked_at + TAKES_BACK) else "not_taken_back"


def forbidden_by_shift(
    state: str, starts_at: datetime, ends_at: datetime, at: datetime, *, signup: bool | None, running: bool
) -> str | None:
    """Why nobody can be put on a shift any more, or yet. `signup`: whether it may be signed up for, None when nobody asks to;
    `running`: also one that has begun is good enough."""
    if state == "cancelled":
        return "cancelled_already"
    if at >= ends_at:
        return "over_already"
    if at >= starts_at and not running:
        return "has_begun"
    if signup is None:
        return None
    return "not_open" if state != "open" else None if signup else "no_signup"


def unfit_reason(
    rule: str | None, fit_from: datetime | None, fit_until: datetime | None, starts_at: datetime, ends_at: datetime
) -> list[Reason]:
    """Domain rule 3: fit over all of the shift. Says which rule set and until when somebody is fit, never why."""
    if rule is None or is_fit(fit_from, fit_until, starts_at, ends_at):
        return []
    params: dict[str, Any] = {"rule": rule}
    if fit_from is not None and fit_from <= starts_at and fit_until is not None and fit_until > starts_at:
        params["until"] = fit_until.isoformat()
    return [Reason("not_fit", params)]


def forbidden_arrival(starts_at: datetime, ends_at: datetime, at: datetime) -> str | None:
    """Why nobody can check in now, or nothing."""
    if at < starts_at - COMES_EARLY:
        return "too_early"
    return "over_already" if at >= ends_at else None


def forbidden_departure(ends_at: datetime, at: datetime) -> str | None:
    """Why nobody can have gone at this time, or nothing."""
    return "ended_long_ago" if at > ends_at + LEAVES_LATE else None


def forbidden_times(
    starts_at: datetime, ends_at: datetime, came_at: datetime, went_at: datetime | None, at: datetime
) -> tuple[str, str] | None:
    """Which of these times cannot have been, and why; or nothing. Without `went_at` somebody is still there."""
    first, last = stay_bounds(starts_at, ends_at)
    if came_at > at:
        return "checked_in_at", "in_future"
    if not first <= came_at < ends_at:
        return "checked_in_at", "far_from_shift"
    if went_at is None:
        return None if at <= last else ("checked_out_at", "required")
    if went_at > at:
        return "checked_out_at", "in_future"
    if went_at < came_at:
        return "checked_out_at", "left_before_coming"
    return None if went_at <= last else ("checked_out_at", "far_from_shift")


def stay_bounds(starts_at: datetime, ends_at: datetime) -> tuple[datetime, datetime]:
    """Between which instants somebody can have been there."""
    return starts_at - COMES_EARLY, ends_at + LEAVES_LATE


def is_late(starts_at: datetime, at: datetime) -> bool:
    """Did somebody come late?"""
    return at >= starts_at + ON_TIME


def worked_hours(checked_in_at: datetime | None, checked_out_at: datetime | None) -> float:
    """Hours come from when somebody was there, never from the plan."""
    if checked_in_at is None or checked_out_at is None:
        return 0.0
    return max((checked_out_at - checked_in_at).total_seconds(), 0.0) / 3600
