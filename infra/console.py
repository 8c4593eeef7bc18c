"""One joined log: every process's lines with its name in front, in colour on a terminal."""

import contextlib
import os
import selectors
import sys
import time
from collections.abc import Callable
from pathlib import Path

COLOURS = (36, 32, 33, 35, 34, 96, 92, 95)
LONGEST_LOG = 4_000_000


class Console:
    """Reads what the processes write (`add`), what the servers append to their logs (`follow`), and says what is going on (`step`)."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write or sys.stderr.write
        self._colour = write is None and sys.stderr.isatty() and "NO_COLOR" not in os.environ
        self._selector = selectors.DefaultSelector()
        self._rest: dict[int, bytes] = {}
        self._read: dict[str, tuple[Path, int]] = {}
        self._names: list[str] = []
        self._began = time.monotonic()
        self.last: dict[str, str] = {}

    def step(self, words: str) -> None:
        """Progress, with the seconds since the start."""
        self._say("muster", f"{time.monotonic() - self._began:5.1f} s  {words}")

    def line(self, name: str, words: str) -> None:
        """One line of a process."""
        self.last[name] = words
        self._say(name, words)

    def add(self, name: str, descriptor: int) -> None:
        """From now on show what comes through that pipe, until its other end is closed."""
        os.set_blocking(descriptor, False)
        self._rest[descriptor] = b""
        self._selector.register(descriptor, selectors.EVENT_READ, name)

    def follow(self, name: str, log: Path) -> None:
        """From now on show what is appended to that file."""
        self._read[name] = (log, log.stat().st_size if log.exists() else 0)

    def unfollow(self, name: str) -> None:
        """No more of it: what a server says while it stops is no news."""
        self._read.pop(name, None)

    def pump(self, seconds: float) -> None:
        """Show what has been written; wait at most so long for something."""
        for key, _ in self._selector.select(seconds):
            self._take(key.fd, key.data)
        for name in list(self._read):
            self._tail(name)

    def close(self) -> None:
        """Show what is left and let go of the pipes."""
        with contextlib.suppress(OSError):
            self.pump(0)
        for descriptor in list(self._rest):
            self._drop(descriptor)
        self._selector.close()

    def _take(self, descriptor: int, name: str) -> None:
        try:
            fresh = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        *lines, self._rest[descriptor] = (self._rest[descriptor] + fresh).split(b"\n")
        if not fresh or len(self._rest[descriptor]) > 65536:
            lines, self._rest[descriptor] = [*lines, self._rest[descriptor]], b""
        for line in lines:
            if line.strip():
                self.line(name, line.decode(errors="replace").rstrip())
        if not fresh:
            self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        self._rest.pop(descriptor, None)
        os.close(descriptor)

    def _tail(self, name: str) -> None:
        log, start = self._read[name]
        try:
            size = log.stat().st_size
            if size <= start:
                self._read[name] = (log, size)
                return
            with log.open("rb") as file:
                file.seek(max(start, size - 65536))
                fresh = file.read()
            whole = fresh.rfind(b"\n") + 1
            self._read[name] = (log, size - len(fresh) + whole)
            if size > LONGEST_LOG:
                os.truncate(log, 0)  # the server appends, so it goes on at the new end
                self._read[name] = (log, 0)
        except OSError:
            return
        for line in fresh[:whole].decode(errors="replace").splitlines():
            self.line(name, line)

    def _say(self, name: str, words: str) -> None:
        if name not in self._names:
            self._names.append(name)
        head = f"{name:<9}"
        if self._colour:
            head = f"\033[{1 if name == 'muster' else COLOURS[self._names.index(name) % len(COLOURS)]}m{head}\033[0m"
        with contextlib.suppress(OSError, ValueError):  # a closed terminal is no reason to fall over
            self._write(f"{head} {words}\n")
            if self._write == sys.stderr.write:
                sys.stderr.flush()
