"""The environment is made with nothing but a Python, is left alone while the lock is the same, and is made anew when it is broken."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.environment import fits
from infra.wish import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that needs no package, in a path with spaces."""
    project = tmp_path / "the project"
    (project / "infra").mkdir(parents=True)
    for path in (PROJECT / "infra" / "environment.py", *(PROJECT / "infra").glob("pip-*.whl")):
        shutil.copy(path, project / "infra")
    for lock in ("requirements.txt", "requirements-dev.txt"):
        (project / lock).write_text("# nothing\n")
    return project


def make(project: Path, name: str = "run", **env: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [Path(sys.executable).resolve(), project / "infra" / "environment.py", name]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=False)


def test_it_is_made_once_and_again_only_when_the_lock_changed_or_it_is_broken(project: Path) -> None:
    assert "ready after" in make(project).stderr
    python = project / ".venv" / "bin" / "python"
    assert subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    ).stdout.strip() == str(project / ".venv")

    began = time.monotonic()
    assert make(project).stderr == ""
    assert time.monotonic() - began < 2

    (project / "requirements.txt").write_text("# changed\n")
    assert "installing" in make(project).stderr

    python.unlink()
    assert "making .venv" in make(project).stderr

    (project / ".venv" / "made-from.json").write_text("{half")
    assert "making .venv" in make(project).stderr

    assert "installing" in make(project, "dev").stderr
    assert make(project, "run").stderr == ""  # the larger lock holds the smaller one

    moved = project.rename(project.with_name("moved"))
    assert "making .venv" in make(moved).stderr


def test_an_interrupted_install_is_not_taken_for_a_whole_one(project: Path) -> None:
    (project / "requirements.txt").write_text("idna==3.10 --hash=sha256:" + "0" * 64 + "\n")
    broken = make(project, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0", PIP_NO_CACHE_DIR="1", PIP_CONFIG_FILE=os.devnull)
    assert broken.returncode == 1
    assert "is there a network, or a mirror" in broken.stderr.splitlines()[-1]
    assert not (project / ".venv" / "made-from.json").exists()

    (project / "requirements.txt").write_text("# nothing\n")
    assert make(project).returncode == 0


def test_a_damaged_installer_is_refused(project: Path) -> None:
    wheel = next((project / "infra").glob("pip-*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1])
    assert "is damaged" in make(project).stderr.splitlines()[-1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_one_may_not_write_to_is_said_in_one_sentence(project: Path) -> None:
    project.chmod(0o500)
    assert "Traceback" not in make(project).stderr
    project.chmod(0o700)


def test_a_python_far_too_old_can_still_read_the_file_that_refuses_it() -> None:
    ast.parse((PROJECT / "infra" / "environment.py").read_text(), feature_version=(3, 6))
    assert [fits(version) for version in ((3, 10), (3, 11), (3, 14), (3, 15), (2, 7))] == [False, True, True, False, False]


def test_the_larger_lock_holds_the_smaller_one() -> None:
    def pins(name: str) -> set[str]:
        return {
            line.split(" ")[0] for line in (PROJECT / name).read_text().splitlines() if "==" in line and not line.startswith((" ", "#"))
        }

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
    assert len(pins("requirements.txt")) > 50
