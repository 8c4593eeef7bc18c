"""Business time. It can be moved for the demo and the tests; tokens, cookies, leases and retries use real time instead."""

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from shared.settings import settings

_LOOK_EVERY = 0.25  # seconds: the file is looked at no more often than this
_seen: tuple[float, float, float] = (float("-inf"), 0.0, 0.0)  # looked at, changed at, offset in seconds
_fixed_offset = 0.0


@cache
def zone() -> ZoneInfo:
    """The institution's one time zone."""
    return ZoneInfo(settings().zone)


def real_now() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Business time, in UTC: the machine's time plus the offset that all processes of a demo share."""
    return real_now() + timedelta(seconds=_offset())


def today() -> date:
    """The institution's local date."""
    return now().astimezone(zone()).date()


def _offset() -> float:
    global _seen
    path = settings().clock_file
    if path is None:
        return _fixed_offset
    looked_at, changed_at, offset = _seen
    moment = time.monotonic()
    if moment - looked_at < _LOOK_EVERY:
        return offset
    try:
        found = path.stat().st_mtime_ns / 1e9
        if found != changed_at:
            offset = float(json.loads(path.read_text(encoding="utf-8"))["offset_seconds"])
    except FileNotFoundError:
        found, offset = 0.0, 0.0
    _seen = (moment, found, offset)
    return offset


def set_offset(seconds: float) -> None:
    """Move business time by so many seconds against the machine's, for every process that watches the same file."""
    global _seen, _fixed_offset
    path = settings().clock_file
    if path is None:
        _fixed_offset = seconds
        return
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"offset_seconds": seconds}), encoding="utf-8")
    fresh.replace(path)
    _seen = (float("-inf"), 0.0, 0.0)


def set_now(moment: datetime) -> None:
    """Stand at a moment; time runs on from there."""
    set_offset((moment - real_now()).total_seconds())
