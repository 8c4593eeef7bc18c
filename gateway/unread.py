"""How much waits for whoever looks, notices and alerts, for the badge of every page: kept half a minute, and never waited for long."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.services import KEPT_SECONDS, notifications

LONGEST_WAIT = 0.15
MOST_KEPT = 20_000
THEIR_OWN = frozenset({"/", "/inbox"})
"""Pages that show the inbox: they ask for it anyhow, and say with `keep` what they read."""


def waiting(inbox: Mapping[str, Any]) -> int:
    """What the badge counts: notices to answer and alerts to see to."""
    return int(inbox["open_count"]) + int(inbox["alert_count"])


@dataclass(slots=True)
class Unread:
    """The numbers by person. That there was no answer is kept as well, so that no page asks in vain again."""

    kept: dict[str, tuple[float, int]] = field(default_factory=dict)

    async def of(self, person_id: str) -> int:
        """How many wait; nought when it cannot be told now."""
        moment = time.monotonic()
        known = self.kept.get(person_id)
        if known is not None and moment - known[0] < KEPT_SECONDS:
            return known[1]
        self.kept[person_id] = (moment, known[1] if known else 0)  # pages that come meanwhile do not ask beside this one
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                found = await notifications.try_get("/inbox", page_size=1)
        except TimeoutError:
            found = None
        return self.keep(person_id, waiting(found) if found is not None else known[1] if known else 0)

    def last(self, person_id: str) -> int:
        """How many there were when somebody last asked."""
        known = self.kept.get(person_id)
        return known[1] if known is not None else 0

    def keep(self, person_id: str, count: int) -> int:
        """The inbox was read: so many wait."""
        if len(self.kept) >= MOST_KEPT:
            self.kept.clear()
        self.kept[person_id] = (time.monotonic(), count)
        return count

    def forget(self, person_ids: list[str] | None = None) -> None:
        """Ask anew at the next page of these people; None: of everybody."""
        if person_ids is None:
            self.kept.clear()
        for person_id in person_ids or ():
            self.kept.pop(str(person_id), None)
