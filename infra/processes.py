"""The processes of one machine: started from a list, watched, started again when they die, stopped in order."""

import ctypes
import gc
import json
import os
import random
import runpy
import signal
import socket
import ssl
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

from infra.console import Console
from infra.folder import CannotStart, write_private
from infra.servers import born, end_child, end_stray, is_alive, launch

FIRST_PAUSE, LONGEST_PAUSE, STEADY = 0.2, 10.0, 30.0
GRACE = 3  # seconds an open event stream gets before uvicorn cuts it
TRIES_TO_START = 3
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15


@dataclass(frozen=True)
class App:
    """An ASGI app to be served: `target` as uvicorn names it, and what its environment says beyond ours."""

    name: str
    target: str
    host: str
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    tls: tuple[Path, Path] | None = None

    def listen(self) -> socket.socket:
        """The socket it serves on. The caller closes it."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        return socket.create_server((self.host, self.port), family=family, backlog=2048)

    def serve(self) -> None:
        """Serve until a signal ends it."""
        import uvicorn

        cert, key = self.tls or (None, None)
        config = uvicorn.Config(
            self.target,
            loop="uvloop",
            http="httptools",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=15,
            ssl_certfile=cert,
            ssl_keyfile=key,
        )
        uvicorn.Server(config).run(sockets=[self.listen()])

    def command(self) -> list[str]:
        """The same as a command, where there is no fork."""
        tls = [str(path) for path in self.tls or ()]
        return [sys.executable, "-m", "infra.processes", self.name, self.target, self.host, str(self.port), *tls]

    def is_ready(self) -> bool:
        """Whether /readyz answers 200."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        try:
            with socket.create_connection((host, self.port), timeout=2) as plain:
                connection: socket.socket = plain
                if self.tls:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                    connection = context.wrap_socket(plain)
                connection.sendall(f"GET /readyz HTTP/1.1\r\nHost: {host}:{self.port}\r\nConnection: close\r\n\r\n".encode())
                return connection.recv(64).split(b" ")[1:2] == [b"200"]
        except OSError:
            return False


@dataclass(frozen=True)
class Once(App):
    """A module that runs to its end as one of the processes would: `target` is its name."""

    def serve(self) -> None:
        """Run it, with no arguments, as the command has none."""
        sys.argv = [self.target]
        runpy.run_module(self.target, run_name="__main__")

    def command(self) -> list[str]:
        """The same as a command, where there is no fork."""
        return [sys.executable, "-m", self.target]


class Server(Protocol):
    """PostgreSQL or NATS, as far as it is watched."""

    log: Path
    process: subprocess.Popen[bytes] | None

    def start(self) -> None: ...
    def is_whole(self) -> bool: ...
    def stop(self) -> None: ...


class Running:
    """An app that runs, as a fork of this process or as a command of its own."""

    def __init__(self, app: App, console: Console, *, fork: bool) -> None:
        self.app = app
        self.ended: str | None = None
        words, sink = os.pipe()
        self._child: subprocess.Popen[bytes] | None = None
        if fork:
            gc.freeze()  # the child's collector would write to every object it looks at, and so copy what it shares with us
            self.pid = os.fork()
            if self.pid == 0:
                _become(app, sink)
        else:
            env = {**os.environ, **app.env, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            self._child = launch(app.command(), log=sink, env=env, dies_by=signal.SIGTERM)
            self.pid = self._child.pid
        os.close(sink)
        console.add(app.name, words)

    def poll(self) -> str | None:
        """How it ended, or None while it runs."""
        if self.ended is None:
            if self._child:
                code = self._child.poll()
            else:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                code = os.waitstatus_to_exitcode(status) if pid else None
            if code is not None:
                self.ended = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        return self.ended

    def send(self, number: signal.Signals) -> None:
        """A signal, as long as it runs (a corpse not yet buried keeps its number, so nobody else is hit)."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _become(app: App, sink: int) -> NoReturn:
    """The child after the fork: nothing of the parent is left but the imported code."""
    code, parent = 1, os.getppid()
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.closerange(3, 4096)  # the lock and the pipes are the parent's
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        if sys.platform == "linux":
            libc = ctypes.CDLL(None)
            libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
            libc.prctl(PR_SET_NAME, app.name.encode()[:15], 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)
        os.environ.update(app.env)
        random.seed()
        app.serve()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except OSError as odd:
        print(f"cannot serve on {app.host}:{app.port}: {odd.strerror or odd}", file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


@dataclass
class Care:
    """What the supervisor remembers of one member: when it may be started again, and how often it has died in a row."""

    started_at: float = 0.0
    due_at: float | None = None
    deaths: int = 0

    def died(self) -> float:
        """The pause until the next try: doubled each time, forgotten after a steady while."""
        self.deaths = 1 if time.monotonic() - self.started_at > STEADY else self.deaths + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self.deaths - 1))
        self.due_at = time.monotonic() + pause
        return pause

    def is_due(self) -> bool:
        """Whether it is time to start it again."""
        return self.due_at is not None and time.monotonic() >= self.due_at

    def started(self) -> None:
        """It runs again."""
        self.started_at, self.due_at = time.monotonic(), None


class Supervisor:
    """Apps and servers by name. `apps` are started in the order given and stopped the other way round, then the servers alike."""

    def __init__(self, console: Console, record: Path, *, fork: bool = True) -> None:
        self.console = console
        self.servers: dict[str, Server] = {}
        self.apps: dict[str, App] = {}
        self.running: dict[str, Running] = {}
        self.asked_to_stop = 0
        self._beside: list[subprocess.Popen[bytes]] = []
        self._care: dict[str, Care] = {}
        self._record = record
        self._fork = fork
        self._was_ready = False

    def listen_to_signals(self) -> None:
        """The first Ctrl-C or SIGTERM stops in order, the second at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stop_asked())

    def _stop_asked(self) -> None:
        self.asked_to_stop += 1
        if self.asked_to_stop > 1:
            for one in self.running.values():
                one.send(signal.SIGKILL)
            for server in self.servers.values():
                if server.process and server.process.poll() is None:
                    server.process.send_signal(signal.SIGQUIT)  # PostgreSQL: at once, and it recovers at the next start
            os._exit(130)

    def serve(self, name: str, server: Server) -> None:
        """Start a server now and look after it from now on."""
        self.servers[name] = server
        server.start()
        self._care.setdefault(name, Care()).started()
        self.console.follow(name, server.log)

    def begin(self, apps: Sequence[App]) -> None:
        """Start the apps and look after them from now on."""
        for app in apps:
            self.apps[app.name] = app
            self._start(app)

    def end_strays(self) -> None:
        """Children of a start that was killed: ended when they still are who they were."""
        try:
            recorded = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return
        ours = [int(pid) for pid, birth in recorded.items() if birth and born(int(pid)) == birth]
        for pid in ours:
            if is_alive(pid):
                end_stray(pid, ((signal.SIGTERM, GRACE + 1.0), (signal.SIGKILL, 2.0)))

    def until_ready(self, seconds: float = 90) -> bool:
        """All /readyz agree; False when a stop was asked for meanwhile. What dies three times on the way ends the start."""
        until, waiting = time.monotonic() + seconds, dict(self.apps)
        while waiting and not self.asked_to_stop:
            self.watch(0.02)
            for name, app in list(waiting.items()):
                if self.running[name].poll() is None and app.is_ready():
                    del waiting[name]
                    self.console.step(f"{name} is ready")
                elif self._care[name].deaths >= TRIES_TO_START:
                    raise CannotStart(f"{name} does not start: {self.console.last.get(name, 'it said nothing')}")
            if time.monotonic() > until:
                raise CannotStart(f"Not ready after {seconds:.0f} s: {', '.join(waiting)}; its last words stand above.")
        self._was_ready = not waiting
        return self._was_ready

    def watch(self, seconds: float = 0.2) -> None:
        """One round: show what was written, see who died, start again what is due."""
        self.console.pump(seconds)
        for name, server in self.servers.items():
            care = self._care[name]
            if care.due_at is None and server.process and server.process.poll() is not None:
                self.console.step(f"{name} has ended ({server.process.returncode}), again in {care.died():.1f} s")
            elif care.is_due():
                self._serve_again(name, server, care)
            elif server.process and not server.is_whole():
                self.console.step(f"{name} runs, but what it stored was removed: it begins anew")
                server.process.kill()
        for name, one in list(self.running.items()):
            care = self._care[name]
            if care.due_at is None and (how := one.poll()) is not None:
                self.console.step(f"{name} {how}, again in {care.died():.1f} s")
            elif care.is_due():
                self._start(self.apps[name])

    def run(self) -> None:
        """Until a stop is asked for."""
        while not self.asked_to_stop:
            self.watch()

    def once(self, task: Once) -> bool:
        """Run a task to its end with its words in the log; False when it failed."""
        one = Running(task, self.console, fork=self._fork)
        while one.poll() is None:
            self.watch(0.02)
        self.console.pump(0)
        return one.ended == "ended with 0"

    def load(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> bool:
        """Run a command to its end with its words in the log; False when it failed or a stop was asked for."""
        words, sink = os.pipe()
        child = launch(command, log=sink, env={**os.environ, **env, "PYTHONUNBUFFERED": "1"}, dies_by=signal.SIGTERM)
        os.close(sink)
        self.console.add(name, words)
        while child.poll() is None:
            self.watch(0.05)
            if self.asked_to_stop:
                child.terminate()
        self.console.pump(0)
        return child.returncode == 0 and not self.asked_to_stop

    def accompany(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Run a command beside the apps until all is stopped; nothing hangs on it, so it is not started again."""
        words, sink = os.pipe()
        self._beside.append(launch(command, log=sink, env={**os.environ, **env, "PYTHONUNBUFFERED": "1"}, dies_by=signal.SIGTERM))
        os.close(sink)
        self.console.add(name, words)

    def stop(self) -> None:
        """What runs beside, the last app first (the gateway), then the other apps side by side, then the servers in reverse."""
        for child in self._beside:
            end_child(child, ((signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0)))
        names = list(self.running)
        for group in (names[-1:], names[:-1]):
            self._end([self.running[name] for name in group])
        for name, server in reversed(self.servers.items()):
            self.console.unfollow(name)
            server.stop()
        self._record.unlink(missing_ok=True)
        self.console.close()

    def _end(self, group: Sequence[Running]) -> None:
        for number, seconds in ((signal.SIGTERM, GRACE + 2.0), (signal.SIGKILL, 2.0)):
            for one in group:
                one.send(number)
            until = time.monotonic() + seconds
            while any(one.poll() is None for one in group) and time.monotonic() < until:
                self.console.pump(0.02)

    def _start(self, app: App) -> None:
        self.running[app.name] = Running(app, self.console, fork=self._fork)
        self._care.setdefault(app.name, Care()).started()
        write_private(self._record, json.dumps({str(one.pid): born(one.pid) for one in self.running.values()}))

    def _serve_again(self, name: str, server: Server, care: Care) -> None:
        try:
            server.start()
        except CannotStart as sentence:
            self.console.step(f"{sentence} Again in {care.died():.1f} s")
            return
        care.started()
        self.console.step(f"{name} runs again")


if __name__ == "__main__":
    name, target, host, port, *tls = sys.argv[1:]
    App(name, target, host, int(port), tls=(Path(tls[0]), Path(tls[1])) if tls else None).serve()
