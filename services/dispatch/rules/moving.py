"""Pure: who can stay on a shift that is moved, and why the others cannot."""

from collections.abc import Sequence
from datetime import datetime

from shared.refusals import Reason

OVERRIDABLE = frozenset({"too_little_rest", "too_many_hours", "not_fit"})
"""What a leader may have overridden for a person holds also after the move; being in two places never."""


def is_fit(fit_from: datetime | None, fit_until: datetime | None, starts_at: datetime, ends_at: datetime) -> bool:
    """Is somebody fit for all of a time? `fit_from` None: not at all; `fit_until` None: without end."""
    return fit_from is not None and fit_from <= starts_at and (fit_until is None or fit_until >= ends_at)


def standing_reasons(reasons: Sequence[Reason], *, overridden: bool) -> list[Reason]:
    """What of these reasons still forbids; the hardest first."""
    return [one for one in reasons if not (overridden and one.code in OVERRIDABLE)]


def because_of(reason: Reason) -> str:
    """What the alert of the open place says."""
    if reason.code == "not_fit":
        return "unfit"
    if reason.code == "unavailable":
        return "unavailable"
    return "duty" if reason.params.get("kind") == "duty" else "released"
