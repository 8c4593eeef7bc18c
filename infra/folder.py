"""The data folder: what is kept beside the data (passwords, ports), and the one sentence when it cannot be used."""

import errno
import json
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path


class CannotStart(Exception):
    """Carries one clear sentence for the person at the console."""


def said(error: OSError, what: Path | str) -> CannotStart:
    """The sentence for a disk that does not do what is asked."""
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "this user may not write there",
        errno.EPERM: "this user may not write there",
        errno.ENOTDIR: "a part of that path is not a folder",
    }
    return CannotStart(f"Cannot use {what}: {reasons.get(error.errno or 0, error.strerror or str(error))}.")


def private_folder(path: Path) -> Path:
    """A folder only its owner can enter."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise said(error, path) from None
    return path


def write_private(path: Path, content: str) -> None:
    """Whole or not at all: written beside it with mode 600, then renamed."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise said(error, path) from None


def new_password() -> str:
    """Begins with a letter: nats-server reads a value from the environment as a number when it looks like one."""
    return "p" + secrets.token_hex(24)


def secret(folder: Path, name: str, make: Callable[[], str] = new_password) -> str:
    """The secret of that name, made at the first call and kept in `secrets/` (mode 600)."""
    path = private_folder(folder / "secrets") / name
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        write_private(path, made := make())
        return made
    except OSError as error:
        raise said(error, path) from None


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ports_of(folder: Path) -> dict[str, int]:
    """The ports used last time."""
    try:
        found: dict[str, int] = json.loads((folder / "ports.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def kept_port(folder: Path, name: str) -> int:
    """The port used last time, or another one when somebody else has taken it meanwhile."""
    path, ports = folder / "ports.json", ports_of(folder)
    if not (isinstance(ports.get(name), int) and is_free(ports[name])):
        ports[name] = free_port()
        write_private(path, json.dumps(ports))
    return ports[name]
