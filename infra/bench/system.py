"""The system under measurement: started by its one command in a folder of its own, with its processes' memory."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from infra.folder import free_port, ports_of
from infra.postgres import Postgres
from infra.wish import PROJECT


class System:
    """`make run` or `make demo`, as a child."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind, self.port = folder, kind, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self, seconds: float = 120) -> float:
        """Start, and the seconds until it said that it is ready."""
        log = self.folder.with_suffix(".log")
        env = {"PATH": os.environ.get("PATH", ""), "PORT": str(self.port), "DATA": str(self.folder)}
        began = time.monotonic()
        with log.open("wb") as out:
            self.process = subprocess.Popen([sys.executable, "-m", "infra.local", self.kind], cwd=PROJECT, env=env, stdout=out, stderr=out)
        while time.monotonic() - began < seconds and self.process.poll() is None:
            if any(line.startswith("ready ") for line in log.read_text(errors="replace").splitlines()):
                return time.monotonic() - began
            time.sleep(0.02)
        raise RuntimeError("it did not start:\n" + log.read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        """Ctrl-C."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    def service(self, name: str) -> str:
        """The address of a service, behind the gateway."""
        return f"http://127.0.0.1:{ports_of(self.folder)[name]}"

    def postgres(self) -> Postgres:
        """The running server, to count in."""
        server = Postgres(self.folder)
        server.attach()
        return server

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for it: our own tree, PostgreSQL and NATS included."""
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def memory(self) -> float:
        """The sum of their PSS, in MB; what they share counts once."""
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss / 1e6
        return round(total, 1)

    def memory_of(self, word: str) -> float:
        """The PSS of the processes whose PostgreSQL, service or child is named so, and of their children, in MB."""
        return round(sum(one for one in self._pss(word)), 1)

    def _pss(self, word: str) -> Iterator[float]:
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if word in " ".join(process.cmdline()) or word in process.name():
                    yield process.memory_full_info().pss / 1e6
