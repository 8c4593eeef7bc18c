"""What the person at the console wants: read once from the environment, refused in one sentence when it is odd."""

import errno
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from infra.folder import CannotStart

PROJECT = Path(__file__).resolve().parent.parent
Kind = Literal["demo", "real"]
LOOPBACK = ("127.", "localhost", "::1")


@dataclass(frozen=True)
class Wish:
    """`database_url` names a role with CREATEROLE that owns the database; without it PostgreSQL comes from the wheel. NATS alike."""

    kind: Kind
    folder: Path
    host: str
    port: int
    public_url: str
    tls: tuple[Path, Path] | None
    database_url: str | None
    nats_url: str | None
    fork: bool

    @property
    def address(self) -> str:
        """Where it answers on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def given(env: Mapping[str, str], name: str) -> str | None:
    """NAME, or the content of the file that NAME_FILE names."""
    if path := env.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CannotStart(f"{name}_FILE cannot be read: {path}: {error.strerror}.") from None
    return env.get(name) or None


def folder_of(kind: Kind, env: Mapping[str, str]) -> Path:
    """`.data` or `.demo` in the project, or what DATA names."""
    named = env.get("DATA")
    return (Path(named) if named else PROJECT / (".demo" if kind == "demo" else ".data")).absolute()


def wish(kind: Kind, env: Mapping[str, str] | None = None) -> Wish:
    """The wish in the environment, or CannotStart."""
    env = os.environ if env is None else env
    host, port, tls = env.get("HOST") or "127.0.0.1", _port(env.get("PORT") or "8000"), _tls(env)
    public_url = (env.get("PUBLIC_URL") or "").rstrip("/")
    if public_url and (urlsplit(public_url).scheme not in ("http", "https") or not urlsplit(public_url).hostname):
        raise CannotStart("PUBLIC_URL must be an address as people type it, like https://muster.example.org.")
    if kind == "real" and not host.startswith(LOOPBACK) and not tls and not public_url.startswith("https://"):
        raise CannotStart(
            f"Health records do not travel unencrypted: for HOST={host} give TLS_CERT and TLS_KEY, "
            "or an https PUBLIC_URL with a proxy before it that speaks TLS."
        )
    seen = _network_address() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return Wish(
        kind=kind,
        folder=folder_of(kind, env),
        host=host,
        port=port,
        public_url=public_url or f"{'https' if tls else 'http'}://{seen}:{port}",
        tls=tls,
        database_url=given(env, "DATABASE_URL"),
        nats_url=given(env, "NATS_URL"),
        fork=hasattr(os, "fork") and os.uname().sysname == "Linux" and env.get("FORK") != "off",
    )


def check_port(wanted: Wish, word: str) -> None:
    """Refuse a port that is taken before anything is started."""
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    try:
        socket.create_server((wanted.host, wanted.port), family=family).close()
    except socket.gaierror:
        raise CannotStart(f"HOST={wanted.host} is no address.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {wanted.port} is in use by another program: stop that, or take another port: make {word} PORT={wanted.port + 1}"
            ) from None
        if error.errno == errno.EACCES:
            raise CannotStart(f"This user may not listen on port {wanted.port}: take one above 1023, and a proxy before it.") from None
        raise CannotStart(f"HOST={wanted.host} PORT={wanted.port}: {error.strerror}; HOST must be an address of this machine.") from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise CannotStart("PORT must be a number from 1 to 65535.")
    return int(text)


def _tls(env: Mapping[str, str]) -> tuple[Path, Path] | None:
    files = [env.get(name) or "" for name in ("TLS_CERT", "TLS_KEY")]
    if not any(files):
        return None
    if not all(files):
        raise CannotStart("TLS_CERT and TLS_KEY belong together: one of them is missing.")
    for path in files:
        if not os.access(path, os.R_OK):
            raise CannotStart(f"TLS_CERT or TLS_KEY cannot be read: {path}.")
    return Path(files[0]).absolute(), Path(files[1]).absolute()


def _network_address() -> str:
    """This machine's address in its network, as phones see it. Nothing is sent: connecting UDP only picks the way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address: str = probe.getsockname()[0]
            return address
        except OSError:
            return socket.gethostname()
