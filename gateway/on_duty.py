"""Who is on duty now, for the band of every page: asked for every half minute, and never waited for so long that a page would feel it."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.services import KEPT_SECONDS, duty

LONGEST_WAIT = 0.25


@dataclass(slots=True)
class OnDuty:
    """What duty last said, for everybody the same. That it did not answer is kept as well, so that no page asks in vain again."""

    items: list[dict[str, Any]] | None = None
    asked_at: float = field(default=float("-inf"))

    async def at(self, moment: datetime) -> list[dict[str, Any]] | None:
        """Who is on duty at this moment; None when it cannot be told."""
        relieved = any(datetime.fromisoformat(one["ends_at"]) <= moment for one in self.items or ())
        if relieved or time.monotonic() - self.asked_at > KEPT_SECONDS:
            self.asked_at = time.monotonic()
            self.items = await self._ask()
        if self.items is None:
            return None
        return [one for one in self.items if datetime.fromisoformat(one["starts_at"]) <= moment < datetime.fromisoformat(one["ends_at"])]

    async def _ask(self) -> list[dict[str, Any]] | None:
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                found = await duty.try_get("/now")
        except TimeoutError:
            return None
        return list(found["items"]) if found is not None else None

    def forget(self) -> None:
        """Ask anew for the next page: a roster was published or amended."""
        self.asked_at = float("-inf")
