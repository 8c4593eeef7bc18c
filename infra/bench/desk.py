"""A desk whose page stays open: it hears «something changed» and asks for its block again, as gateway/static/app.js does."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode

import aiohttp

WAITS, WAITS_MORE = 0.1, 0.3


@dataclass
class Desk:
    """One page and its stream; `seen` is called with each block, and when it was there."""

    http: aiohttp.ClientSession
    address: str
    path: str
    topics: str
    headers: Mapping[str, str]
    block: str  # the id of the element that asks for itself
    seen: Callable[[str, float], None] = lambda _block, _moment: None
    times: list[float] = field(default_factory=list)
    failed: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _hinted: asyncio.Event = field(default_factory=asyncio.Event)
    _listens: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._ask_again())]
        await asyncio.wait_for(self._listens.wait(), 10)
        return self

    async def __aexit__(self, *_odd: object) -> None:
        for one in self._tasks:
            one.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hear(self) -> None:
        stream = f"{self.address}/live?{urlencode({'topics': self.topics})}"
        async with self.http.get(stream, headers=self.headers, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            async for line in answer.content:
                self._listens.set()
                if line.startswith(b"data:"):
                    self._hinted.set()

    async def _ask_again(self) -> None:
        """Many hints at once are one question, asked a little later."""
        partial = {"muster-live": "1", "hx-request-type": "partial", "hx-target": f"div#{self.block}"}
        while True:
            await self._hinted.wait()
            await asyncio.sleep(WAITS + random.random() * WAITS_MORE)
            self._hinted.clear()
            began = time.perf_counter()
            async with self.http.get(self.address + self.path, headers={**self.headers, **partial}) as answer:
                block = await answer.text()
            self.times.append((time.perf_counter() - began) * 1000)
            self.failed += answer.status >= 400
            self.seen(block, time.perf_counter())
