"""One command: PostgreSQL and NATS, the schemas, every process, one log, one address; and all of it down again."""

import gc
import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from infra.console import Console
from infra.folder import CannotStart, kept_port, private_folder, said, secret, write_private
from infra.hold import take
from infra.nats import OTHER_USERS, Nats, nats_users
from infra.postgres import Postgres
from infra.processes import App, Once, Supervisor
from infra.wish import PROJECT, Kind, Wish, check_port, wish

SERVICES = ("identity", "personnel", "duty", "dispatch", "notifications")
GATEWAY = "gateway.app:app"
UNREACHED = ("ConnectionRefusedError", "gaierror", "TimeoutError", "InvalidPasswordError", "InvalidCatalogNameError", "OSError")


class Database(Protocol):
    """Where a role finds the database."""

    def url(self, role: str, password: str | None = None) -> str: ...


class Bus(Protocol):
    """Where a user finds NATS."""

    def url(self, user: str) -> str: ...


class GivenDatabase:
    """A server of the operator's own."""

    def __init__(self, url: str, folder: Path) -> None:
        self._parts = urlsplit(url)
        self._folder = folder
        if self._parts.scheme not in ("postgresql", "postgres") or not self._parts.hostname or not self._parts.username:
            raise CannotStart("DATABASE_URL must be like postgresql://owner:password@host:5432/muster.")

    def url(self, role: str, password: str | None = None) -> str:
        """The same place for another role; its password is kept beside the data."""
        word = password if password is not None else secret(self._folder, f"postgres-{role}")
        place = self._parts.netloc.rpartition("@")[2]
        return urlunsplit(self._parts._replace(netloc=f"{quote(role)}:{quote(word)}@{place}"))


class GivenBus:
    """A NATS server of the operator's own, which loads the users file we write."""

    def __init__(self, url: str, folder: Path) -> None:
        self._parts = urlsplit(url)
        self._folder = folder
        if self._parts.scheme not in ("nats", "tls") or not self._parts.hostname:
            raise CannotStart("NATS_URL must be like nats://host:4222.")

    def url(self, user: str) -> str:
        """The same place for one user."""
        place = self._parts.netloc.rpartition("@")[2]
        return f"{self._parts.scheme}://{user}:{secret(self._folder, f'nats-{user}')}@{place}"


def claim(wanted: Wish) -> int:
    """The folder is ours alone until this descriptor is closed, and stays what it was made for: a demo never becomes real."""
    folder = private_folder(wanted.folder)
    marker = folder / "kind"
    try:
        if not marker.exists():
            if any(folder.iterdir()):
                raise CannotStart(f"{folder} is not empty and no data folder of Muster: name another one with DATA=…")
            write_private(marker, wanted.kind)
        if (found := marker.read_text()) != wanted.kind:
            shown = {"demo": "a demo", "real": "a real system"}
            raise CannotStart(f"{folder} holds {shown.get(found, 'something else')} and can never become {shown[wanted.kind]}.")
    except OSError as error:
        raise said(error, folder) from None
    return take(folder, f"{wanted.address} (process {os.getpid()})")


def token_keys(folder: Path) -> tuple[Path, Path]:
    """The key pair by which identity signs who is calling and everybody else believes it; made once."""
    private, public = folder / "secrets" / "token-private.pem", folder / "secrets" / "token-public.pem"
    if not (private.exists() and public.exists()):
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.generate()
        shown = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        hidden = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        private_folder(private.parent)
        write_private(private, hidden.decode())
        write_private(public, shown.decode())
    return private, public


def apps(wanted: Wish, database: Database, bus: Bus, ports: Mapping[str, int]) -> list[App]:
    """The processes in the order they start; the gateway last."""
    folder, (private, public) = wanted.folder, token_keys(wanted.folder)
    common = {
        "PUBLIC_URL": wanted.public_url,
        "HOST": wanted.host,
        "PORT": str(wanted.port),
        "DEMO": "1" if wanted.kind == "demo" else "0",
        "DATA_DIR": str(folder),
        "TOKEN_PUBLIC_KEY_FILE": str(public),
        **{f"{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}" for name in SERVICES},
    }
    if wanted.kind == "demo":
        common["CLOCK_FILE"] = str(folder / "clock.json")
    hidden = {"identity": {"TOKEN_PRIVATE_KEY_FILE": str(private)}}
    if wanted.kind == "demo":
        hidden["identity"]["DEMO_SETUP_CODE"] = secret(folder, "demo-setup-code")
    found = [
        App(
            name=name,
            target=f"services.{name}.app:app",
            host="127.0.0.1",
            port=ports[name],
            env={**common, "DATABASE_URL": database.url(name), "NATS_URL": bus.url(name), **hidden.get(name, {})},
        )
        for name in SERVICES
    ]
    env = {**common, "NATS_URL": bus.url("gateway")}
    return [*found, App(name="gateway", target=GATEWAY, host=wanted.host, port=wanted.port, env=env, tls=wanted.tls)]


def forget_ours(names: Iterable[str]) -> None:
    """What we hand to each process one by one must not reach the others through our own environment."""
    for name in names:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)


class Imports(threading.Thread):
    """Imports the apps once, before the fork, while the main thread starts the servers; it has ended before anything is forked."""

    def __init__(self, targets: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self._targets = targets
        self._failed: BaseException | None = None
        self._apps: dict[str, object] = {}

    def run(self) -> None:
        gc.disable()  # hardly anything of it is garbage, and to look for some again and again takes a fifth of the time
        try:
            # The tests' tools bring rich, and structlog would load it to colour lines that we never colour.
            sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
            for module in ("uvicorn", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on", "uvloop"):
                importlib.import_module(module)
            for target in self._targets:
                module, _, name = target.partition(":")
                self._apps[target] = getattr(importlib.import_module(module), name)
        except BaseException as odd:
            self._failed = odd
        finally:
            gc.freeze()
            gc.enable()

    def result(self) -> dict[str, object]:
        """The apps by target."""
        self.join()
        if self._failed:
            raise self._failed
        return self._apps


def migrate(database: Database, owner_url: str, console: Console) -> Callable[[], None]:
    """Bring the schemas to the code in a child process; the answer waits for it."""
    env = {**os.environ, "DATABASE_URL": owner_url}
    for name in SERVICES:
        env[f"ROLE_PASSWORD_{name.upper()}"] = urlsplit(database.url(name)).password or ""
    child = subprocess.Popen(
        [sys.executable, "-m", "shared.migrate"],
        cwd=PROJECT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )

    def wait() -> None:
        lines = [line for line in child.communicate()[0].decode(errors="replace").splitlines() if line.strip()]
        if child.returncode != 0:
            last = lines[-1] if lines else "no word why"
            if last.startswith("setting "):
                raise CannotStart(last)
            if any(sign in last for sign in UNREACHED):
                raise CannotStart(f"The database cannot be reached, or does not accept its owner: {last.rpartition('Error: ')[2]}")
            for line in lines[:-1]:
                console.line("migrate", line)
            raise CannotStart(f"The database was not brought to the code: {last}")

    return wait


def start(wanted: Wish, supervisor: Supervisor, console: Console) -> None:
    """Everything up to the last /readyz."""
    folder = wanted.folder
    forget_ours(("DATABASE_URL", "NATS_URL", "TOKEN_PRIVATE_KEY", "TOKEN_PUBLIC_KEY", "DEMO_SETUP_CODE", "CLOCK_FILE"))
    sys.path.insert(0, str(PROJECT))
    imports = Imports([*(f"services.{name}.app:app" for name in SERVICES), GATEWAY])
    imports.start()
    database: Database
    if wanted.database_url:
        database, owner_url = GivenDatabase(wanted.database_url, folder), wanted.database_url
    else:
        own = Postgres(folder)
        supervisor.serve("postgres", own)
        console.step(f"PostgreSQL answers on port {own.port}")
        database, owner_url = own, own.url()
    migrated = migrate(database, owner_url, console)
    imported = imports.result()
    console.step("the code is loaded")
    bus = start_bus(wanted, supervisor, console, imported)
    found = apps(wanted, database, bus, {name: kept_port(folder, name) for name in SERVICES})
    migrated()
    console.step("the schemas are those of the code")
    supervisor.begin(found)
    supervisor.until_ready()


def consumers_in(imported: Mapping[str, object]) -> dict[str, list[tuple[str, str]]]:
    """What each service hears, as its imported app says."""
    from fastapi import FastAPI

    from shared.service import consumers_of

    found: dict[str, list[tuple[str, str]]] = {}
    for name in SERVICES:
        app = imported[f"services.{name}.app:app"]
        assert isinstance(app, FastAPI)
        found[name] = consumers_of(app)
    return found


def start_bus(wanted: Wish, supervisor: Supervisor, console: Console, imported: Mapping[str, object]) -> Bus:
    """NATS with the rights of exactly those consumers that the services have."""
    consumers = consumers_in(imported)
    if wanted.nats_url:
        given = GivenBus(wanted.nats_url, wanted.folder)
        passwords = {user: secret(wanted.folder, f"nats-{user}") for user in (*SERVICES, *OTHER_USERS)}
        write_private(wanted.folder / "nats-users.conf", nats_users(consumers, passwords))
        console.step(f"the NATS server of NATS_URL must include {wanted.folder / 'nats-users.conf'}")
        return given
    own = Nats(wanted.folder, consumers)
    supervisor.serve("nats", own)
    console.step(f"NATS answers on port {own.port}")
    return own


def print_setup_code(wanted: Wish, supervisor: Supervisor) -> None:
    """An empty system's first page asks for the code that stands here; until there is an administrator, each start prints another."""
    identity = supervisor.apps.get("identity")
    if wanted.kind != "real" or identity is None or supervisor.asked_to_stop:
        return
    inside = HTTPConnection(identity.host, identity.port, timeout=10)
    inside.request("GET", "/setup")
    needed = json.load(inside.getresponse())["needed"]
    inside.close()
    if needed and not supervisor.once(Once("identity", "services.identity.setup_code", identity.host, identity.port, identity.env)):
        raise CannotStart("The setup code could not be printed.")


def load_demo(wanted: Wish, supervisor: Supervisor, console: Console) -> None:
    """The reference case, once; a load that was interrupted goes on where it was. Then the story is played on beside the processes."""
    if wanted.kind != "demo" or supervisor.asked_to_stop:
        return
    marker, played = wanted.folder / "loaded", wanted.folder / "played"
    env = {"DEMO_SETUP_CODE": secret(wanted.folder, "demo-setup-code"), "PYTHONPATH": str(PROJECT), "DEMO": "1"}
    where = ["--url", wanted.address, "--played", str(played)]
    if not marker.exists():
        console.step("loading the reference case through the public API")
        if supervisor.load("demo", [sys.executable, "-m", "infra.demo", *where], env):
            write_private(marker, "")
        elif not supervisor.asked_to_stop:
            raise CannotStart(f"{console.last.get('demo', 'The reference case was not loaded.')}")
    if played.exists() and not supervisor.asked_to_stop:
        supervisor.accompany("story", [sys.executable, "-m", "infra.stage", *where], {"PYTHONPATH": str(PROJECT)})


def main(arguments: Sequence[str]) -> int:
    """`run` or `demo`; ends when it is told to."""
    if arguments not in (["run"], ["demo"]):
        print("usage: python -m infra.local run|demo", file=sys.stderr)
        return 2
    word = arguments[0]
    kind: Kind = "demo" if word == "demo" else "real"
    console = Console()
    try:
        wanted = wish(kind)
        lock = claim(wanted)
        supervisor = Supervisor(console, wanted.folder / "processes.json", fork=wanted.fork)
        supervisor.end_strays()
        check_port(wanted, word)
        supervisor.listen_to_signals()
        try:
            start(wanted, supervisor, console)
            print_setup_code(wanted, supervisor)
            load_demo(wanted, supervisor, console)
            if not supervisor.asked_to_stop:
                write_private(wanted.folder / "running.json", json.dumps({"url": wanted.address, "pid": os.getpid()}))
                if wanted.public_url != wanted.address:
                    console.step(f"others reach it at {wanted.public_url}")
                print(f"ready {wanted.address}", flush=True)
            supervisor.run()
        finally:
            console.step("stopping")
            supervisor.stop()
            (wanted.folder / "running.json").unlink(missing_ok=True)
            os.close(lock)
    except CannotStart as sentence:
        console.step(str(sentence))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
