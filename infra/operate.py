"""What the operator does at the machine: backup, restore, parked, retell, setup-code. None of it has an address in the network."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from infra import backup
from infra.folder import CannotStart, ports_of
from infra.hold import hold, runs_at
from infra.local import SERVICES, Bus, Database, GivenBus, GivenDatabase, apps, forget_ours
from infra.nats import Nats
from infra.postgres import Postgres
from infra.wish import PROJECT, Kind, folder_of, given, wish


def the_folder() -> Path:
    """The data meant: `.data`, or what DATA names."""
    folder = folder_of("real", os.environ)
    if not (folder / "kind").exists():
        raise CannotStart(f"There are no data of Muster in {folder}: start it once, or name another folder with DATA=…")
    return folder


def kind_of(folder: Path) -> Kind:
    """What the folder was made for."""
    return "demo" if (folder / "kind").read_text() == "demo" else "real"


def back_up(arguments: Sequence[str]) -> None:
    """A backup of the running or the stopped system."""
    if given(os.environ, "DATABASE_URL"):
        raise CannotStart("DATABASE_URL names a server of your own: back it up with pg_dump there, where its other backups are.")
    folder, keep = the_folder(), backup.keep_from(os.environ.get("KEEP"))
    postgres = Postgres(folder)
    if runs_at(folder):
        postgres.attach()
        made = backup.back_up(postgres, keep)
    else:
        with hold(folder, "a backup is being made"):
            postgres.start()
            try:
                made = backup.back_up(postgres, keep)
            finally:
                postgres.stop()
    print(f"backup {made.stem} ({made.stat().st_size:,} bytes, read back whole) in {made.parent}")


def restore(arguments: Sequence[str]) -> None:
    """A backup into the stopped system."""
    if given(os.environ, "DATABASE_URL"):
        raise CannotStart("DATABASE_URL names a server of your own: restore it with pg_restore there, and start with an empty NATS store.")
    folder = the_folder()
    if where := runs_at(folder):
        raise CannotStart(f"Muster runs at {where}: stop it first; a restore goes into a stopped system.")
    dump = backup.find(folder, arguments[0] if arguments else None)
    with hold(folder, "a backup is being restored"):
        aside = backup.restore(Postgres(folder), dump)
    print(f"restored {dump.stem}; what was there before lies in {aside} until you remove it")


def parked(arguments: Sequence[str]) -> None:
    """Events and due rows that failed eight times, and errands given up: listed, or tried again with `all`."""
    for service in SERVICES:
        inside(service, "infra.parked", service, *arguments)


def retell(arguments: Sequence[str]) -> None:
    """A service tells its whole state again, for those who lost what they knew of it."""
    telling = [service for service in SERVICES if (PROJECT / "services" / service / "retell.py").exists()]
    if not arguments or arguments[0] not in telling:
        raise CannotStart(f"Which one? make retell SERVICE=<name>; there are: {', '.join(telling)}.")
    inside(arguments[0], f"services.{arguments[0]}.retell")


def setup_code(arguments: Sequence[str]) -> None:
    """New setup codes, those needed or of the place named; the ones before them end."""
    inside("identity", "services.identity.setup_code", *arguments)


def inside(service: str, module: str, *arguments: str) -> None:
    """Run a module as that service would run: its role, its user, its keys, against the running system."""
    folder = the_folder()
    if not runs_at(folder):
        raise CannotStart("Muster does not run: start it first, then ask again.")
    wanted = wish(kind_of(folder), {**os.environ, "DATA": str(folder)})
    database: Database = GivenDatabase(wanted.database_url, folder) if wanted.database_url else Postgres(folder)
    bus: Bus = GivenBus(wanted.nats_url, folder) if wanted.nats_url else Nats(folder, {})
    for own in (database, bus):
        if isinstance(own, Postgres | Nats):
            own.attach()
    env = next(app.env for app in apps(wanted, database, bus, ports_of(folder)) if app.name == service)
    forget_ours(env)
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=PROJECT, env={**os.environ, **env, "WORK": "off"}, check=False)
    if done.returncode != 0:
        raise CannotStart(f"{module} ended with {done.returncode}.")


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "backup": back_up,
    "restore": restore,
    "parked": parked,
    "retell": retell,
    "setup-code": setup_code,
}


def main(arguments: Sequence[str]) -> int:
    """The command and what belongs to it."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: python -m infra.operate {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        COMMANDS[arguments[0]](arguments[1:])
    except CannotStart as sentence:
        print(sentence, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
