"""Who holds a data folder: one process at a time, known by a lock that ends with it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from infra.folder import CannotStart, said


def take(folder: Path, words: str) -> int:
    """Hold the folder until the descriptor is closed; `words` say who we are to whoever comes second."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise said(error, folder) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        told = os.read(lock, 500).decode(errors="replace").strip()
        os.close(lock)
        raise CannotStart(f"Muster runs already on these data: {told or folder}.") from None
    os.truncate(lock, 0)
    os.write(lock, words.encode())
    return lock


@contextlib.contextmanager
def hold(folder: Path, words: str) -> Iterator[None]:
    """Hold the folder for the length of the block."""
    lock = take(folder, words)
    try:
        yield
    finally:
        os.close(lock)


def runs_at(folder: Path) -> str:
    """Who holds the folder now; empty when nobody does."""
    try:
        with (folder / "lock").open("rb+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return lock.read(500).decode(errors="replace").strip() or str(folder)
    except OSError:
        return ""
    return ""
