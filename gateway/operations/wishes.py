"""What the forms of operations mean: sites a line each, times and roles a row each, and what is wrong with them beside their field."""

from collections.abc import Mapping
from typing import Any

TIMES, ROLES = 5, 6
"""So many rows the form has: a day in five shifts, a shift with six roles."""
DEFAULT_TIMES = (("08:00", "12:40"), ("12:40", "17:20"), ("17:20", "22:00"))
_BESIDE = {"pattern.times": "times", "pattern.roles": "roles", "times": "times", "roles": "roles", "sites": "sites", "days": "days"}


def fresh_pattern() -> dict[str, str]:
    """Three shifts from 08:00 to 22:00; the roles are still to be named."""
    begins = {f"begins_{row}": times[0] for row, times in enumerate(DEFAULT_TIMES)}
    return begins | {f"ends_{row}": times[1] for row, times in enumerate(DEFAULT_TIMES)}


def pattern_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """The shifts of a day and whom they need; rows without anything are left out, half a row is for the service to name."""
    times = [[_text(form, f"begins_{row}"), _text(form, f"ends_{row}")] for row in range(TIMES)]
    roles = [(_text(form, f"role_{row}"), _text(form, f"count_{row}")) for row in range(ROLES)]
    return {
        "times": [pair for pair in times if any(pair)],
        "roles": [{"name": name or None, "head_count": _number(count)} for name, count in roles if name or count],
        "signup": "signup" in form,
    }


def sites_of(form: Mapping[str, Any]) -> list[dict[str, str]]:
    """A site a line; after the first comma its address."""
    found = []
    for line in _text(form, "sites").splitlines():
        name, _, address = line.replace("，", ",", 1).partition(",")
        if name.strip():
            found.append({"name": name.strip()} | ({"address": address.strip()} if address.strip() else {}))
    return found


def beside(problem: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The problem with what is wrong in a row or a line said at the field that the form has, once each."""
    if problem is None:
        return None
    errors: dict[tuple[str, str], dict[str, Any]] = {}
    for error in problem.get("errors") or ():
        field = str(error["field"]).removeprefix("body.")
        at = next((ours for theirs, ours in _BESIDE.items() if field == theirs or field.startswith(f"{theirs}.")), field)
        errors.setdefault((at, error["code"]), {**error, "field": at})
    return {**problem, "errors": list(errors.values())}


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _number(text: str) -> Any:
    """A number as one; anything else stays for the service to name."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else text or None
