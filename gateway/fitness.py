"""Fitness for pages: what personnel says of a rule set, with its days as people count them: the last day, not the instant after it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.clock import now, zone
from shared.fitness import asks

JUST_BEFORE = timedelta(microseconds=1)


def fitness_told(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each rule set that asks something: fit or not, its first and last day, and what would put it right."""
    return [
        {
            "rule": one["rule"],
            "fit": one["fit"],
            "from_on": _local(one["fit_from"]),
            "until_on": _local(one["fit_until"], JUST_BEFORE),
            "lacking": [{**lack, "waits": _waits(lack["from_on"])} for lack in one["lacking"]],
        }
        for one in found
        if asks(one["rule"])
    ]


def _local(instant: str | None, back: timedelta = timedelta()) -> str | None:
    return (datetime.fromisoformat(instant) - back).astimezone(zone()).date().isoformat() if instant else None


def _waits(from_on: str | None) -> bool:
    return from_on is not None and from_on > now().astimezone(zone()).date().isoformat()
