"""nats-server from the wheel, and who may say and hear what in it."""

import json
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from infra.folder import CannotStart, kept_port, ports_of, private_folder, secret, write_private
from infra.servers import end_child, end_stray, is_ours, last_words, launch, size_of
from shared.events import FitnessChanged, HoldersChanged
from shared.messaging.subjects import HEARERS, STREAMS, stream_of, told_by

OTHER_USERS = ("gateway", "admin")
KEPT_FROM_PAGES = [FitnessChanged.subject, HoldersChanged.subject]  # of which no page is told anything: who is fit, and who holds what
STOPS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
Consumers = Mapping[str, Iterable[tuple[str, str]]]
"""service -> (name of the durable consumer, the subject it is filtered by)"""


def rights(service: str, consumers: Iterable[tuple[str, str]]) -> dict[str, dict[str, list[str]]]:
    """A service tells its own events and reads through its own consumers, each named with its filter: a wildcard would let it read all."""
    read = [(name, subject, stream_of(subject)) for name, subject in consumers]
    publish = [f"{word}.{service}.>" for word, stream in STREAMS.items() if stream in told_by(service)]
    for stream in sorted({*told_by(service), *(stream for _, _, stream in read if service in HEARERS.get(stream, (service,)))}):
        publish += [f"$JS.API.STREAM.INFO.{stream}", f"$JS.API.STREAM.CREATE.{stream}"]
    for name, subject, stream in read:
        if service not in HEARERS.get(stream, (service,)):
            raise ValueError(f"{service} may not hear {subject}")
        publish += [
            f"$JS.API.CONSUMER.CREATE.{stream}.{name}.{subject}",
            f"$JS.API.CONSUMER.INFO.{stream}.{name}",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}",
            f"$JS.ACK.{stream}.{name}.>",
        ]
    return {"publish": {"allow": publish}, "subscribe": {"allow": [f"_INBOX_{service}.>"]}}


def variable(user: str) -> str:
    """The name under which the server finds that user's password in its environment."""
    return f"NATS_{user.upper()}_PW"


def nats_users(consumers: Consumers, passwords: Mapping[str, str] | None = None) -> str:
    """The users of the bus: every service, the gateway that only listens, and `admin` for the operator.

    Without `passwords` none stands in it: the server looks for `variable(user)` in its environment.
    """
    permissions: dict[str, object] = {service: rights(service, wanted) for service, wanted in consumers.items()}
    heard = {"allow": ["event.>", "_INBOX_gateway.>"], "deny": KEPT_FROM_PAGES}
    permissions["gateway"] = {"publish": {"deny": [">"]}, "subscribe": heard}
    permissions["admin"] = {"publish": {"allow": [">"]}, "subscribe": {"allow": [">"]}}
    words = {user: json.dumps(passwords[user]) if passwords else f"${variable(user)}" for user in permissions}
    lines = [f"  {{ user: {user}, password: {words[user]}, permissions: {json.dumps(may)} }}" for user, may in permissions.items()]
    return "authorization {\n users = [\n" + "\n".join(lines) + "\n ]\n}\n"


def nats_config(
    consumers: Consumers,
    *,
    listen: str,
    store: Path,
    pid_file: Path | None = None,
    sync_always: bool = True,
    passwords: Mapping[str, str] | None = None,
    health: str | None = None,
) -> str:
    """The whole configuration; sync_always keeps what was acknowledged through a power cut, the server's default loses two minutes."""
    sync = "sync_interval: always, " if sync_always else ""
    return (
        f"listen: {json.dumps(listen)}\n"
        + (f"pid_file: {_quoted(pid_file)}\n" if pid_file else "")
        + (f"http: {json.dumps(health)}\n" if health else "")
        + "max_payload: 1MB\n"
        + f"jetstream {{ store_dir: {_quoted(store)}, {sync}max_mem: 64MB, max_file: 2GB }}\n"
        + nats_users(consumers, passwords)
    )


def _quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)


class Nats:
    """One server whose stream lies in `folder`/nats; passwords and port are kept beside it. `fsync=False` is for tests only."""

    def __init__(self, folder: Path, consumers: Consumers, *, fsync: bool = True) -> None:
        self.folder = folder.resolve()
        self.home = self.folder / "nats"
        self.log = self.folder / "log" / "nats.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._consumers = {service: list(wanted) for service, wanted in consumers.items()}
        self._fsync = fsync
        self._stored = False

    @property
    def _store(self) -> Path:
        return self.home / "store"

    @property
    def users(self) -> Sequence[str]:
        """Everybody who can connect."""
        return [*self._consumers, *OTHER_USERS]

    def url(self, user: str) -> str:
        """Where that user connects, with the password."""
        return f"nats://{user}:{self.password(user)}@127.0.0.1:{self.port}"

    def password(self, user: str) -> str:
        """The kept password of a user, made when it is asked for first."""
        return secret(self.folder, f"nats-{user}")

    def start(self) -> None:
        """Ready for connections when this returns. Call it from the main thread: the server ends when that thread does."""
        for folder in (self.folder, self.home, self.log.parent):
            private_folder(folder)
        self._end_stray()
        until = time.monotonic() + 5
        while refused := self._refusal():
            if "address already in use" not in refused or time.monotonic() > until:
                raise CannotStart(f"nats-server does not start: {_cause(refused)} (more in {self.log})")
            time.sleep(0.1)

    def is_whole(self) -> bool:
        """Its store is there; a server whose store was removed takes nothing any more, until it begins anew."""
        self._stored = self._stored or self._store.exists()
        return not self._stored or self._store.exists()

    def attach(self) -> None:
        """Use the server that runs already on this folder, started by somebody else."""
        self.port = ports_of(self.folder).get("nats", 0)

    def stop(self) -> None:
        """Ends at once; nothing happens when it does not run."""
        if self.process:
            end_child(self.process, STOPS)
            self.process = None

    def _refusal(self) -> str:
        """One try: empty when it answers, else what it said."""
        self.port = kept_port(self.folder, "nats")
        config, since = self.home / "nats.conf", size_of(self.log)
        listen = f"127.0.0.1:{self.port}"
        write_private(
            config, nats_config(self._consumers, listen=listen, store=self._store, pid_file=self._pid_file, sync_always=self._fsync)
        )
        env = {variable(user): self.password(user) for user in self.users}
        program = Path(sysconfig.get_path("scripts")) / "nats-server"
        if not program.exists():
            raise CannotStart("nats-server is not in this environment: use `make run`, or set NATS_URL.")
        self._stored = False
        self.process = launch([program, "-c", config], log=self.log, env=env, dies_by=signal.SIGTERM)
        while self.process.poll() is None:
            if self._answers():
                return ""
            time.sleep(0.005)
        return last_words(self.log, since) or f"it ended with {self.process.returncode}"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False

    @property
    def _pid_file(self) -> Path:
        return self.home / "pid"

    def _end_stray(self) -> None:
        """A server left over by a killed start is ended, if it is really ours."""
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        if is_ours(pid, "nats-server", self.home):
            end_stray(pid, STOPS)
        self._pid_file.unlink(missing_ok=True)


def _cause(words: str) -> str:
    if "no space left on device" in words.lower():
        return "the disk is full"
    lines = [line for line in words.splitlines() if "[FTL]" in line or "[ERR]" in line] or words.splitlines() or ["it said nothing"]
    return lines[-1].partition("] ")[2].strip() or lines[-1].strip()
