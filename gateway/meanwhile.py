"""Two people edit one thing: what was there, what the other made of it, what one wanted oneself, and the choice between them.

The form carries what it showed at first as `was_<field>`. When the service says `changed_meanwhile`, what only one of the two changed is
taken over by itself; where both changed the same field to different things, the form comes back with a choice `take_<field>`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

THEIRS, MINE = "theirs", "mine"


class Change(NamedTuple):
    """One field that somebody changed: as it was, as it is now, as it was typed here; `open` when one has to choose."""

    field: str
    was: str
    theirs: str
    mine: str
    open: bool


def version_of(form: Mapping[str, Any]) -> int | None:
    """The version the form was made from; none when the form lost it."""
    text = str(form.get("version", ""))
    return int(text) if text.isdecimal() and len(text) < 12 else None


def chosen(form: Mapping[str, Any], fields: Sequence[str]) -> dict[str, str]:
    """What is to be saved: what was typed, and where `theirs` was chosen what stands there already."""
    return {field: str(form.get(f"was_{field}" if form.get(f"take_{field}") == THEIRS else field, "") or "") for field in fields}


def changes(form: Mapping[str, Any], current: Mapping[str, Any], fields: Sequence[str]) -> list[Change]:
    """What was changed meanwhile, field by field."""
    wanted = chosen(form, fields)
    found = []
    for field in fields:
        was, theirs, mine = str(form.get(f"was_{field}", "") or ""), str(current.get(field) or ""), wanted[field]
        if theirs != was:
            found.append(Change(field, was, theirs, mine, mine not in (was, theirs)))
    return found


def rebased(form: Mapping[str, Any], current: Mapping[str, Any], fields: Sequence[str], version: Any) -> dict[str, Any]:
    """The form as it goes on from what stands there now: one's own changes kept, the other's taken over."""
    wanted = chosen(form, fields)
    now: dict[str, Any] = {"version": version}
    for field in fields:
        was, theirs, mine = str(form.get(f"was_{field}", "") or ""), str(current.get(field) or ""), wanted[field]
        now[field] = theirs if mine == was else mine
        now[f"was_{field}"] = theirs
    return now
