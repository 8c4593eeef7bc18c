"""How many people a shift needs, a field a role and one for a role more, and what is wrong with them beside their field."""

from collections.abc import Mapping
from typing import Any

from gateway.entering import wrong_field

NEW = ("role_new", "count_new")


def fields_of(shift: Mapping[str, Any]) -> dict[str, str]:
    """The field of each role and its name. A shift's roles are only ever added to, so a field is the same role in a form of yesterday."""
    return {f"count_{place}": role["name"] for place, role in enumerate(shift["roles"])}


def counts_of(shift: Mapping[str, Any]) -> dict[str, str]:
    """The fields with what stands there now."""
    return {f"count_{place}": str(role["head_count"]) for place, role in enumerate(shift["roles"])}


def wishes_of(form: Mapping[str, Any], changed: Mapping[str, str], names: Mapping[str, str]) -> tuple[dict[str, dict[str, Any]], Any]:
    """What is to be sent of each field, and what is wrong before it is. `changed`: the fields of roles that are to be another number."""
    wishes = {field: {"name": names[field], "head_count": _number(count)} for field, count in changed.items() if field in names}
    name, count = (str(form.get(field, "") or "") for field in NEW)
    if name in names.values():  # else the role that is there would be set to this number
        return wishes, wrong_field("role_new", "named_twice")
    if name or count:
        wishes["role_new"] = {"name": name or None, "head_count": _number(count)}
    return wishes, None


def beside(problem: Mapping[str, Any] | None, sent: list[str]) -> dict[str, Any] | None:
    """The problem with what is wrong in a role said at its field; `sent`: the fields in the order in which their roles went out."""
    if problem is None:
        return None
    errors = []
    for error in problem.get("errors") or ():
        path = str(error["field"]).removeprefix("body.").split(".")
        if path[0] == "roles" and len(path) == 3 and path[1].isdecimal() and int(path[1]) < len(sent):
            field = sent[int(path[1])]
            field = "count_new" if (field, path[2]) == ("role_new", "head_count") else field
        else:
            field = "role_new" if path[0] == "roles" else ".".join(path)
        errors.append({**error, "field": field})
    return {**problem, "errors": errors}


def _number(text: str) -> Any:
    """A number as one; anything else stays for the service to name."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else text or None
