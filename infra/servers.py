"""A server program in a folder of its own: launched, waited for, found again after a crash, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

Way = Literal["plain", "nobody", "namespace"]
LAUNCHER = Path(__file__).with_name("launch.py")


def launch(
    program: Sequence[str | Path],
    *,
    log: Path | int | None,
    way: Way = "plain",
    env: Mapping[str, str] | None = None,
    dies_by: signal.Signals | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, so that Ctrl-C reaches only us. Its words go to the end of the file `log`, or into that pipe.

    With `dies_by` the kernel sends that signal when the calling *thread* ends: call it from the main one.
    """
    fate = (str(os.getpid()), str(int(dies_by))) if dies_by else ("0", "0")
    words = (
        os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if isinstance(log, Path) else subprocess.DEVNULL if log is None else log
    )
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", LAUNCHER, way, *fate, *program],
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
    finally:
        if isinstance(log, Path):
            os.close(words)


def arguments_of(pid: int) -> list[str]:
    """The command line of a living process; empty when there is none (or only its corpse)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        if Path("/proc/self").exists():
            return []
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
    return [shown] if shown else []


def is_ours(pid: int, program: str, folder: Path) -> bool:
    """Whether that process runs this program on this folder: only then may we end it."""
    arguments = arguments_of(pid)
    if not arguments or program not in arguments[0]:
        return False
    return any(str(folder) in argument for argument in arguments)


def is_alive(pid: int) -> bool:
    """A process of that number exists and is more than a corpse."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return not Path("/proc/self").exists() and bool(arguments_of(pid))
    return state != "Z"


def born(pid: int) -> str:
    """Tells one process from a later one of the same number; empty when there is none."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{started}"
    except OSError:
        if Path("/proc/self").exists():
            return ""
    return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()


def end_stray(pid: int, signals: Iterable[tuple[signal.Signals, float]]) -> None:
    """End a process of an earlier start that is not our child: each signal gets its seconds."""
    for number, seconds in signals:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not is_alive(pid):
                return
            time.sleep(0.01)


def end_child(process: subprocess.Popen[bytes], signals: Iterable[tuple[signal.Signals, float]]) -> None:
    """End our child: each signal gets its seconds."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


def last_words(log: Path, since: int = 0) -> str:
    """What the program wrote from that byte on (at most the last 4,000)."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(since, end - 4000))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def size_of(log: Path) -> int:
    """Where the next word will be written."""
    try:
        return log.stat().st_size
    except OSError:
        return 0
