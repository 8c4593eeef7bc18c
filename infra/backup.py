"""One consistent moment of the database into a file that was read back, and such a file into a stopped system."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.folder import CannotStart, private_folder, said, write_private
from infra.postgres import DATABASE, OWNER, Postgres

KEPT = 14
ROLES = "select rolname from pg_roles where rolname !~ '^pg_' and not rolsuper and rolname <> current_user order by 1"


def back_up(postgres: Postgres, keep: int = KEPT) -> Path:
    """A dump of the running server into `backups/`, read back whole before it gets its name; older ones beyond `keep` go."""
    backups = private_folder(postgres.folder / "backups")
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    fresh, done = backups / f"{name}.new", backups / f"{name}.dump"
    try:
        _run(postgres, "pg_dump", "--format=custom", f"--file={fresh}")
        fresh.chmod(0o600)
        _run(postgres, "pg_restore", "--file=/dev/null", fresh)
        about = {
            "kind": (postgres.folder / "kind").read_text(),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": _sha256(fresh),
            "roles": _run(postgres, "psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--command={ROLES}").split(),
        }
        write_private(done.with_suffix(".json"), json.dumps(about))
        fresh.rename(done)
        for old in sorted(backups.glob("*.dump"))[:-keep]:
            old.unlink()
            old.with_suffix(".json").unlink(missing_ok=True)
    except OSError as error:
        raise said(error, backups) from None
    finally:
        fresh.unlink(missing_ok=True)
    return done


def find(folder: Path, named: str | None) -> Path:
    """The backup of that name (or path); without a name the sentence lists what there is."""
    backups = folder / "backups"
    there = [dump.stem for dump in sorted(backups.glob("*.dump"))]
    if not named:
        raise CannotStart(f"Which one? make restore FROM=<name>; there are: {', '.join(there) or 'none'}.")
    for found in (backups / f"{named}.dump", backups / named, Path(named)):
        if found.is_file():
            return found.resolve()
    raise CannotStart(f"There is no backup {named}; there are: {', '.join(there) or 'none'}.")


def restore(postgres: Postgres, dump: Path) -> Path:
    """Put a backup in the place of the data; the caller holds the folder. What was there is kept aside: answers where.

    The NATS store is emptied, so that nothing newer than the restored truth survives in it; the relay tells again what is still owed.
    """
    about = _about(postgres, dump)
    postgres.start()  # ends what a killed start left over, and refuses data it cannot read
    postgres.stop()
    aside = postgres.place.home / datetime.now(UTC).strftime("replaced-%Y-%m-%dT%H-%M-%SZ")
    try:
        postgres.data.rename(aside)
    except OSError as error:
        raise said(error, postgres.data) from None
    try:
        postgres.start()
        for role in about["roles"]:
            if role != OWNER:  # made by the owner, who may then change them when it migrates
                made = f'set role {OWNER}; create role "{role}"; grant "{role}" to {OWNER} with set true, inherit true'
                _run(postgres, "psql", "--no-psqlrc", "--quiet", f"--command={made}")
        _run(postgres, "pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={DATABASE}", dump)
        _run(postgres, "psql", "--no-psqlrc", "--quiet", "--command=analyze")
    except BaseException:
        postgres.stop()
        shutil.rmtree(postgres.data, ignore_errors=True)
        aside.rename(postgres.data)
        raise
    postgres.stop()
    shutil.rmtree(postgres.folder / "nats" / "store", ignore_errors=True)
    return aside


def _about(postgres: Postgres, dump: Path) -> dict[str, Any]:
    """What stands beside the dump, once the dump is what it was."""
    try:
        about: dict[str, Any] = json.loads(dump.with_suffix(".json").read_text())
        kind = (postgres.folder / "kind").read_text()
        if about["sha256"] != _sha256(dump):
            raise CannotStart(f"{dump.name} is not what was written: its hash differs. The data are untouched.")
    except (OSError, ValueError, KeyError):
        raise CannotStart(
            f"{dump.with_suffix('.json').name} is missing beside the backup or cannot be read. The data are untouched."
        ) from None
    if about["kind"] != kind:
        raise CannotStart("A demo can never become a real system, nor the other way round: this backup is of the other kind.")
    return about


def _run(postgres: Postgres, program: str, *arguments: str | Path) -> str:
    done = postgres.run(program, *arguments)
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise CannotStart(f"{program} failed: {words[0] if words else f'it ended with {done.returncode}'}.")
    return done.stdout.decode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_from(env: str | None) -> int:
    """How many backups stay (KEEP)."""
    if env is None:
        return KEPT
    if not (env.isascii() and env.isdigit() and int(env) > 0):
        raise CannotStart("KEEP must be a number from 1.")
    return int(env)
