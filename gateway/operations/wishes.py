"""What the forms of operations mean: sites a line each, times and roles a row each, and what is wrong with them beside their field."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.clock import zone

TIMES, ROLES = 5, 6
"""So many rows the form has: a day in five shifts, a shift with six roles."""
DEFAULT_TIMES = (("08:00", "12:40"), ("12:40", "17:20"), ("17:20", "22:00"))
_NONE_GIVEN = {"times": "no_time_given", "roles": "no_role_given"}
_BESIDE = {"pattern.times": "times", "pattern.roles": "roles", "times": "times", "roles": "roles", "sites": "sites", "days": "days"}


def fresh_pattern() -> dict[str, str]:
    """Three shifts from 08:00 to 22:00; the roles are still to be named."""
    begins = {f"begins_{row}": times[0] for row, times in enumerate(DEFAULT_TIMES)}
    return begins | {f"ends_{row}": times[1] for row, times in enumerate(DEFAULT_TIMES)}


def like(sites: Sequence[Mapping[str, Any]], listed: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The form as the sites of an operation and the lists of one of its days would fill it; without shifts there, the fresh pattern."""
    lines = [one["name"] + (f", {one['address']}" if one["address"] else "") for one in sites]
    shifts = [shift for site in listed for shift in site["shifts"]]
    times = sorted({(one["starts_at"], one["ends_at"]) for one in shifts})[:TIMES]
    form = {"sites": "\n".join(lines)}
    if not shifts:
        return {**form, **fresh_pattern()}
    form |= {f"{at}_{row}": "" for at in ("begins", "ends") for row in range(TIMES)}  # no row of the fresh pattern stays
    for row, at in enumerate(times):
        form[f"begins_{row}"], form[f"ends_{row}"] = (datetime.fromisoformat(one).astimezone(zone()).strftime("%H:%M") for one in at)
    for row, role in enumerate([one for one in shifts[0]["roles"] if one["head_count"]][:ROLES]):
        form[f"role_{row}"], form[f"count_{row}"] = role["name"], str(role["head_count"])
    return form


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
        code = _NONE_GIVEN[at] if error["code"] == "too_short" and field.endswith(at) and at in _NONE_GIVEN else error["code"]
        errors.setdefault((at, code), {**error, "field": at, "code": code})
    return {**problem, "errors": list(errors.values())}


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _number(text: str) -> Any:
    """A number as one; anything else stays for the service to name."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else text or None
