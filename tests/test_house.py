"""The house rules that a machine can keep."""

import ast
import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.migrate import SERVICES

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("shared", "services", "gateway", "infra", "tests")
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "impl", "misc"}
LONG_LINES = 600  # a warning at 250 is for the eye; past this a file is certainly more than one room


def modules(*floors: str) -> Iterator[Path]:
    for floor in floors or FLOORS:
        yield from sorted(one for one in (ROOT / floor).rglob("*.py") if "__pycache__" not in one.parts)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_module_says_what_its_room_is_for() -> None:
    silent = [name_of(path) for path in modules() if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_no_room_has_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in modules() if path.stem in NO_NAMES or path.parent.name in NO_NAMES] == []


def test_no_file_is_several_rooms() -> None:
    assert [name_of(path) for path in modules() if len(path.read_text().splitlines()) > LONG_LINES] == []


def test_every_public_function_of_the_floors_says_its_contract() -> None:
    silent = []
    for path in modules("shared", "services"):
        if "migrations" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                silent.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert silent == []


SLICE_BANS = {
    r"\btext\(": "text() slips past the scope of rows",
    r"\.connection\(": "a bare connection slips past the scope of rows",
    r"\bfunc\.now\(|\bnow\(\)::": "SQL now() is not business time",
    r"(?i)select \*": "select * breaks old connections when a column is added",
    r"\.commit\(|\.rollback\(": "a handler never commits",
    r"datetime\.now\(|date\.today\(|datetime\.utcnow\(": "shared/clock.py is the only clock",
}
BELOW_SLICES = {"tables.py", "scope.py", "acts.py", "keeping.py", "retell.py", "setup_code.py", "limits.py", "hashing.py"}


def test_slices_do_nothing_behind_the_back_of_the_scope() -> None:
    found = []
    for path in modules("services"):
        if path.name in BELOW_SLICES or {"migrations", "rules", "importing"} & set(path.parts):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found += [
                f"{name_of(path)}:{number} {why}"
                for ban, why in SLICE_BANS.items()
                if re.search(ban, line) and "server_default" not in line
            ]
    assert found == []


def test_only_settings_read_the_environment() -> None:
    ours = modules("shared", "services", "gateway")
    readers = {name_of(path) for path in ours if re.search(r"os\.environ(?!\.get\(\"PATH\")|os\.getenv", path.read_text())}
    assert readers <= {"shared/settings.py", "shared/migrate.py", "services/personnel/rules/names.py"}


def test_modules_do_nothing_when_imported() -> None:
    names = [
        name_of(path)[:-3].replace("/", ".")
        for path in modules("shared", "services", "gateway")
        if path.name != "__init__.py" and "migrations" not in path.parts
    ]
    script = f"""
import importlib, socket, threading, asyncio
def refuse(*a, **k): raise SystemExit("a socket, thread or loop was made by an import")
socket.socket.connect = refuse; threading.Thread.start = refuse; asyncio.new_event_loop = refuse
for name in {names!r}: importlib.import_module(name)
from shared.settings import settings
assert settings.cache_info().currsize == 0, "settings were read by an import"
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_what_was_vendored_is_what_was_locked() -> None:
    files = tomllib.loads((ROOT / "gateway" / "static" / "vendor" / "LOCK.toml").read_text())["file"]
    assert files
    assert [one["path"] for one in files if hashlib.sha256((ROOT / one["path"]).read_bytes()).hexdigest() != one["sha256"]] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_has_a_line_in_its_scope(service: str) -> None:
    import importlib

    tables = importlib.import_module(f"services.{service}.tables")
    scope = importlib.import_module(f"services.{service}.scope").SCOPE
    assert {mapper.class_ for mapper in tables.Table.registry.mappers} == set(scope), f"services/{service}/scope.py says who sees its rows"


def test_every_setting_is_explained() -> None:
    from shared.settings import Settings

    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_action_is_asked_for_by_a_door() -> None:
    from shared.policy import ACTIONS

    words = "\n".join(path.read_text() for path in modules("services", "shared", "gateway"))
    assert [action for action in ACTIONS if words.count(f'"{action}"') < 2] == [], (
        'require("<action>") at its door, or delete it from the policy'
    )


@pytest.mark.parametrize("place", [*(f"services.{name}.app" for name in SERVICES), "gateway.app"])
def test_nothing_of_a_request_runs_in_a_thread(place: str) -> None:
    """A dependency or an endpoint that is not async costs a thread at every request: it made a read three times as slow."""
    import importlib
    import inspect

    from fastapi.routing import APIRoute, iter_route_contexts

    def calls(dependant: Any) -> Iterator[Any]:
        yield dependant.call
        for inner in dependant.dependencies:
            yield from calls(inner)

    routes = [found.original_route for found in iter_route_contexts(importlib.import_module(place).app.routes)]
    asked = {call for route in routes if isinstance(route, APIRoute) for call in calls(route.dependant)}
    assert asked
    assert [call for call in asked if not (inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call))] == []
