"""Brings what others wrote for the browser into the house: htmx, icons, the API page, the accessibility checker.

For developers only, and only when a version changes: `python infra/vendor.py`. It needs npm; users do not, for the files are in git.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

HOUSE = Path(__file__).parent.parent
STATIC = HOUSE / "gateway" / "static"
VENDOR = STATIC / "vendor"
OWN_ICONS = HOUSE / "gateway" / "layout" / "icons.own.svg"

PACKAGES = {"htmx.org": "4.0.1", "lucide-static": "1.62.0", "swagger-ui-dist": "5.35.0", "axe-core": "4.14.1"}
FILES = {  # file in the package -> where it lies in the house
    "htmx.org": {"dist/htmx.min.js": VENDOR / "htmx.min.js"},
    "lucide-static": {"LICENSE": VENDOR / "lucide.LICENSE"},
    "swagger-ui-dist": {
        "swagger-ui-bundle.js": VENDOR / "swagger-ui-bundle.js",
        "swagger-ui.css": VENDOR / "swagger-ui.css",
        "LICENSE": VENDOR / "swagger-ui.LICENSE",
        "NOTICE": VENDOR / "swagger-ui.NOTICE",
    },
    "axe-core": {"axe.min.js": HOUSE / "tests" / "browser" / "axe.min.js"},
}
ICONS = {  # the name in our pages -> the name in the icon set; the drawings of our own come first
    "activity": "activity",
    "ban": "ban",
    "building": "building-2",
    "chart": "chart-column",
    "copy": "copy",
    "edit": "pencil",
    "eye": "eye",
    "file": "file-text",
    "globe": "globe",
    "history": "history",
    "info": "info",
    "key": "key-round",
    "link": "link",
    "log-out": "log-out",
    "message": "message-square-warning",
    "mobile": "smartphone",
    "monitor": "monitor",
    "plug": "plug",
    "qr": "qr-code",
    "refresh": "refresh-cw",
    "search": "search",
    "server": "server",
    "settings": "settings",
    "syringe": "syringe",
    "trash": "trash-2",
    "undo": "undo-2",
    "user-plus": "user-plus",
}


def main() -> None:
    """Fetch the packages, copy what is used, draw the sprite, write down version, licence and hash of each file."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    lock = ["# Written by infra/vendor.py: what comes from others, from which version, under which licence."]
    with tempfile.TemporaryDirectory() as scratch:
        for package, version in PACKAGES.items():
            root = unpacked(package, version, Path(scratch))
            licence = json.loads((root / "package.json").read_text(encoding="utf-8"))["license"]
            files = FILES.get(package, {})
            for source, target in files.items():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(without_map((root / source).read_text(encoding="utf-8")), encoding="utf-8")
            if package == "lucide-static":
                files = {**files, "icons": STATIC / "icons.svg"}
                files["icons"].write_text(sprite(root / "icons"), encoding="utf-8")
            for target in files.values():
                digest = hashlib.sha256(target.read_bytes()).hexdigest()
                name = target.relative_to(HOUSE).as_posix()
                lock.append(
                    f'\n[[file]]\npath = "{name}"\npackage = "{package}"\nversion = "{version}"\nlicence = "{licence}"\nsha256 = "{digest}"'
                )
    (VENDOR / "LOCK.toml").write_text("\n".join(lock) + "\n", encoding="utf-8")


def unpacked(package: str, version: str, scratch: Path) -> Path:
    """The folder of a package, as published."""
    told = subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=scratch, check=True, capture_output=True, text=True)
    folder = scratch / package
    with tarfile.open(scratch / told.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def without_map(text: str) -> str:
    """A file without the pointer to its source map, which we do not bring along."""
    return re.sub(r"\n?(//|/\*)# sourceMappingURL=\S+( \*/)?\s*$", "\n", text)


def sprite(icons: Path) -> str:
    """One file with every icon: our own drawings, then those of the set, whose strokes are brought to the same weight by the box."""
    own = re.findall(r"<symbol .*?</symbol>", OWN_ICONS.read_text(encoding="utf-8"), re.DOTALL)
    drawn = []
    for name, source in sorted(ICONS.items()):
        inside = re.sub(r"^.*?<svg[^>]*>|</svg>.*$", "", (icons / f"{source}.svg").read_text(encoding="utf-8"), flags=re.DOTALL)
        drawn.append(f'<symbol id="i-{name}" viewBox="1 1 22 22">{"".join(line.strip() for line in inside.splitlines())}</symbol>')
    lines = "\n".join(f"  {line}" for line in [*own, *drawn])
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n  <!-- i-{", i-".join(sorted(ICONS))}: Lucide, ISC -->\n{lines}\n</svg>\n'


if __name__ == "__main__":
    main()
