"""Brings Chromium for the browser tests where it can, and says plainly what is left out where it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = ("/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
PACKAGES = ("chromium-headless-shell", "fonts-noto-cjk")  # without windows it has half the work; without the fonts Chinese is boxes
OLDER = "chromium"  # of a Debian that has no such shell


def find() -> str | None:
    """The browser for the tests: the one CHROMIUM names, or one of the usual ones."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if os.access(named, os.X_OK) else None
    return next(filter(None, map(shutil.which, NAMES)), None) or next((path for path in MACOS if os.access(path, os.X_OK)), None)


def shows_chinese() -> bool:
    """Whether a font on this machine has Chinese characters."""
    if not shutil.which("fc-list"):
        return sys.platform == "darwin"
    return bool(subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, check=False).stdout.strip())


def is_debian() -> bool:
    """Debian or one of its children, where apt-get has the packages under these names."""
    try:
        words = Path("/etc/os-release").read_text()
    except OSError:
        return False
    return "debian" in words and shutil.which("apt-get") is not None


def install(packages: list[str]) -> str | None:
    """With apt; what went wrong, or None."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]):
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            words = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            return f"{' '.join(command[:2])}: {words[-1] if words else f'ended with {done.returncode}'}"
    return None


def main() -> None:
    """Never an obstacle: without a browser the other tests still run."""
    missing = [package for package, there in zip(PACKAGES, (find(), shows_chinese()), strict=True) if not there]
    if not missing or os.environ.get("CHROMIUM"):
        return
    if is_debian() and os.geteuid() == 0:
        print(f"browser: installing {' and '.join(missing)}", flush=True)
        trouble = install(missing)
        if trouble and not find():
            trouble = install([OLDER, *missing[1:]])
    else:
        trouble = f"install {' and '.join(missing)}, or name a browser: CHROMIUM=/path/to/chromium"
    if not find():
        print(f"browser: LEFT OUT are the tests in a browser, since there is no Chromium: {trouble}")
    elif not shows_chinese():
        print(f"browser: pictures will show boxes for Chinese characters, since there is no font: {trouble}")


if __name__ == "__main__":
    main()
