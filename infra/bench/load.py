"""Sends requests side by side and says how long they took."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Took:
    """How long requests took, in milliseconds."""

    p50: float
    p95: float
    p99: float
    per_second: float
    count: int
    failed: int

    def ratio(self, floor: "Took") -> float:
        """How many times the floor, p95 to p95."""
        return round(self.p95 / floor.p95, 1)


def quantile(sorted_values: list[float], share: float) -> float:
    """The value below which that share lies."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))] if sorted_values else float("nan")


async def load(calls: Iterable[Call], side_by_side: int = 8, seconds: float = 15) -> Took:
    """All calls, so many at once; after those seconds no further one is begun. A status of 400 or more is a failure."""
    waiting: Iterator[Call] = iter(list(calls))
    times: list[float] = []
    failed = 0

    async def one(session: aiohttp.ClientSession) -> None:
        nonlocal failed
        for call in waiting:
            began = time.perf_counter()
            if began > until:
                return
            async with session.request(
                call.method, call.url, headers=call.headers, json=call.json, data=call.form, allow_redirects=False
            ) as answer:
                await answer.read()
                failed += answer.status >= 400
            times.append((time.perf_counter() - began) * 1000)

    connector = aiohttp.TCPConnector(limit=side_by_side, keepalive_timeout=5)
    began = time.perf_counter()
    until = began + seconds
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as session:
        await asyncio.gather(*(one(session) for _ in range(side_by_side)))
    took = time.perf_counter() - began
    times.sort()
    p50, p95, p99 = (round(quantile(times, share), 2) for share in (0.5, 0.95, 0.99))
    return Took(p50, p95, p99, round(len(times) / took, 1), len(times), failed)
