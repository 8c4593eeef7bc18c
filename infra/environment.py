"""Makes .venv from the hash-locked requirements with nothing but a Python: no pip, no compiler, no network beyond the packages.

Runs on whatever `python3` is, also on one far too old for the rest (hence the plain syntax), and says so in one sentence.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

OLDEST, NEWEST = (3, 11), (3, 14)
PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(PROJECT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "made-from.json")
PIP = os.path.join(PROJECT, "infra", "pip-26.2-py3-none-any.whl")
PIP_SHA256 = "931c303696af6fa3417112103b1cad26890e5a07eccb5b99783700e33f2b8aad"
LOCKS = {"run": "requirements.txt", "dev": "requirements-dev.txt"}
SHOWS = sys.stderr.isatty()


class CannotMake(Exception):
    """Carries one clear sentence."""


def say(words: str, passing: bool = False) -> None:
    """A step; a passing one is overwritten on a terminal and left out elsewhere."""
    if SHOWS:
        sys.stderr.write("\r\033[K" + words + ("" if passing else "\n"))
        sys.stderr.flush()
    elif not passing:
        sys.stderr.write(words + "\n")


def fits(version: "Sequence[int]") -> bool:
    """Whether Muster runs on that Python."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def another_python() -> str:
    """A Python that fits, when `python3` is one that does not; empty when there is none."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if not found:
            continue
        asked = subprocess.Popen(
            [found, "-c", "import sys, venv; print(*sys.version_info[:2])"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        answer = asked.communicate()[0].split()
        if len(answer) == 2 and fits([int(part) for part in answer]):
            return found
    return ""


def check_machine() -> None:
    """PostgreSQL and nats-server come as programs: they exist for glibc and macOS, 64 bit."""
    if os.name == "nt" or sys.platform not in ("linux", "darwin"):
        raise CannotMake("Muster runs on Linux and macOS; on Windows use WSL or the container image.")
    if sys.maxsize < 2**32:
        raise CannotMake("Muster needs a 64-bit Python.")
    if sys.platform == "linux":
        try:
            libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
        except (ValueError, OSError):
            libc = ""
        numbers = re.findall(r"\d+", libc)
        if not libc.startswith("glibc"):
            raise CannotMake("This Linux has no glibc (Alpine?), and PostgreSQL comes for glibc only: use the container image.")
        if [int(part) for part in numbers[:2]] < [2, 27]:
            raise CannotMake(f"Muster needs glibc 2.27 or newer, this is {libc}.")


def hash_of(path: str) -> str:
    """Of a file's content."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def wanted() -> "dict[str, str]":
    """What an environment must have been made from to be used as it is."""
    return {name: hash_of(os.path.join(PROJECT, lock)) for name, lock in LOCKS.items()}


def found() -> "dict[str, object]":
    """What the environment was made from; empty when there is none, a half-made one, or one that was moved here."""
    try:
        with open(STAMP) as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    whole = os.path.exists(PYTHON) and os.access(PYTHON, os.X_OK)
    return stamp if whole and isinstance(stamp, dict) and stamp.get("at") == PROJECT else {}


def clean_env() -> "dict[str, str]":
    """Without what would make Python look for modules elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")
    }


def make_venv() -> None:
    """An empty environment in place of what was there."""
    say("environment: making .venv with Python {}.{}.{}".format(*sys.version_info[:3]))
    if os.path.islink(VENV):
        os.unlink(VENV)
    elif os.path.exists(VENV):
        shutil.rmtree(VENV)
    made = subprocess.Popen(
        [sys.executable, "-m", "venv", "--without-pip", VENV], env=clean_env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    words = made.communicate()[0].decode("utf-8", "replace")
    if made.returncode:
        raise CannotMake(cause(words) or "This Python cannot make an environment (its venv module is missing): install python3-venv.")


def install(lock: str) -> None:
    """Every package of the lock, each held against its hash, wheels only."""
    if hash_of(PIP) != PIP_SHA256:
        raise CannotMake(f"{PIP} is damaged: its hash is not the expected one; check the project out again.")
    with open(os.path.join(PROJECT, lock)) as file:
        count = len(re.findall(r"^[A-Za-z0-9]", file.read(), re.M))
    say(f"environment: installing about {count} packages from {lock}")
    options = "--require-hashes --only-binary :all: --no-compile --no-deps --disable-pip-version-check --no-input --progress-bar off"
    options += " --no-warn-script-location"
    pip = subprocess.Popen(
        [PYTHON, os.path.join(PIP, "pip"), "install", *options.split(), "-r", os.path.join(PROJECT, lock)],
        env=clean_env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    words, fetched = [], 0
    assert pip.stdout is not None
    for line in iter(pip.stdout.readline, b""):
        words.append(line.decode("utf-8", "replace"))
        fetched += words[-1].startswith("Collecting")
        say(f"environment: {fetched} packages fetched" if fetched < count else "environment: installing", passing=True)
    if pip.wait():
        told = "".join(words[-60:])
        sys.stderr.write("\n" + "".join(line for line in words[-25:]))
        raise CannotMake(cause(told) or "The packages could not be installed; what pip said stands above.")


def cause(words: str) -> str:
    """The sentence for what pip or venv most often trips over; empty when it is something else."""
    for marks, sentence in (
        (("No space left on device", "Errno 28", "Errno 122"), "The disk is full: .venv needs about 500 MB."),
        (("Read-only file system", "Errno 30"), f"The disk is read-only: the environment cannot be made in {PROJECT}."),
        (("Permission denied", "Errno 13"), f"This user may not write to {PROJECT}."),
        (("DO NOT MATCH THE HASHES",), "A package is not what the lock promises: nothing of it was installed."),
        (
            (
                "NewConnectionError",
                "ConnectTimeout",
                "Name or service not known",
                "Connection refused",
                "Network is unreachable",
                "ReadTimeout",
            ),
            "The packages could not be fetched: is there a network, or a mirror to name (PIP_INDEX_URL)?",
        ),
        (
            ("No matching distribution found",),
            "The index has no wheel for this machine, or cannot be reached: is there a network, or a mirror to name (PIP_INDEX_URL)?",
        ),
    ):
        if any(mark in words for mark in marks):
            return sentence
    return ""


def compile_all() -> None:
    """On all cores, so that the first start is not the slow one. Tests of libraries are never imported."""
    say("environment: compiling", passing=True)
    site = os.path.join(VENV, "lib", "python{}.{}".format(*sys.version_info[:2]), "site-packages")
    with open(os.devnull, "w") as nowhere:
        subprocess.call([PYTHON, "-m", "compileall", "-q", "-j", "0", "-x", r"/(tests?|testing)/", site], stdout=nowhere, stderr=nowhere)


def make(name: str) -> None:
    """Bring .venv to what the lock says; returns at once when it is there."""
    want = wanted()
    if found().get(name) == want[name]:
        return
    with open(os.path.join(PROJECT, ".venv.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starts at once: the second finds it made
        have = found()
        if have.get(name) == want[name]:
            return
        check_machine()
        began = time.time()
        if have.get("python") != list(sys.version_info[:2]):
            make_venv()
        elif os.path.exists(STAMP):
            os.unlink(STAMP)  # from here on it is half made
        install(LOCKS[name])
        compile_all()
        stamp = {"at": PROJECT, "python": list(sys.version_info[:2]), name: want[name]}
        if name == "dev":
            stamp["run"] = want["run"]  # the larger lock holds the smaller one
        with open(STAMP, "w") as file:
            json.dump(stamp, file)
        say(f"environment: ready after {time.time() - began:.0f} s")


def main(name: str) -> None:
    """`run` or `dev`."""
    if not fits(sys.version_info[:2]):
        other = another_python()
        if other:
            os.execv(other, [other, os.path.abspath(__file__), name])
        shown = "{}.{}".format(*sys.version_info[:2])
        raise CannotMake(
            f"Muster needs Python 3.11 to 3.14, and python3 is {shown}: install one of those, or name it: make PYTHON=/path/to/python3.13"
        )
    make(name)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except CannotMake as refusal:
        say(str(refusal))
        sys.exit(1)
    except KeyboardInterrupt:
        say("environment: interrupted; the next start makes it anew")
        sys.exit(130)
    except OSError as error:
        say(cause(str(error)) or f"The environment cannot be made: {error}.")
        sys.exit(1)
