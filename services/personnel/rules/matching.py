"""A row of a staff list beside the person who is known by its number: new, changed (old → new), same, or refused. Empty changes nothing."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from services.personnel.rules.programmes import COVID19
from services.personnel.rules.rows import ParsedDose, ParsedRow
from services.personnel.rules.rows import RowError as Error
from shared.refusals import Reason

Outcome = Literal["new", "changed", "same", "refused"]
ERRORS: Mapping[str, str] = {
    "number_wrong": "“{text}” is not a number as it is kept here: letters, digits, dot, dash and underscore.",
    "department_missing": "There is no department.",
    "department_unknown": "There is no department “{text}” yet.",
    "employment_missing": "There is no kind of employment.",
    "changed_meanwhile": "This person was changed after the list was checked. Upload the row again.",
}
"""What this rule finds wrong with a row, beside the words of words.py."""
WARNINGS: Mapping[str, str] = {
    "name_differs": "The number belongs to {old}; the list says {new}.",
    "dose_was_withdrawn": "A dose on {on} was recorded before and taken back.",
    "statement_not_taken": "There are doses on record; what the list says of the status is not taken over.",
}
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_FIELDS = ("name", "department", "employment", "phone", "email", "born_on", "joined_on", "left_on")


class KnownDose(NamedTuple):
    """A dose on record that nothing supersedes."""

    id: str
    on: date
    product_code: str
    lot: str | None = None
    place: str | None = None


class Known(NamedTuple):
    """A person on record. `doses` in order of date; `withdrawn`: days of doses that were taken back; `said`: the latest statement."""

    id: str
    number: str
    name: str
    department: str
    employment: str
    phone: str | None = None
    email: str | None = None
    born_on: date | None = None
    joined_on: date | None = None
    left_on: date | None = None
    doses: tuple[KnownDose, ...] = ()
    withdrawn: tuple[date, ...] = ()
    said: tuple[str, date] | None = None


class Change(NamedTuple):
    """What would change, as texts: dates in ISO, products and kinds of employment as codes."""

    field: str
    old: str | None
    new: str | None


class DoseWish(NamedTuple):
    """A dose to be recorded; with `corrects` it supersedes that one."""

    corrects: str | None
    on: date
    product_code: str
    lot: str | None
    place: str | None


class Match(NamedTuple):
    """What comes of a row, and what would be written: the person's fields, doses, a statement."""

    outcome: Outcome
    changes: tuple[Change, ...] = ()
    errors: tuple[Error, ...] = ()
    warnings: tuple[Reason, ...] = ()
    fields: Mapping[str, str | date] = {}
    doses: tuple[DoseWish, ...] = ()
    statement: str | None = None


class Choices(NamedTuple):
    """What a person chose for the whole list: make departments that are not there; what holds for new people whose row does not say."""

    create_departments: bool = False
    employment: str | None = None
    department: str | None = None


@lru_cache(maxsize=4096)
def plain_department(name: str) -> str:
    """A department's name as it is compared: without blanks, width and case."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def match(row: ParsedRow, known: Known | None, departments: Mapping[str, str], *, today: date, choices: Choices = Choices()) -> Match:
    """`departments`: plain name → name as it is kept. Everything that is wrong is told at once."""
    errors, warnings = list(row.errors), list(row.warnings)
    if row.number and not NUMBER.fullmatch(row.number) and not any(error.field == "number" for error in errors):
        errors.append(Error("number", "number_wrong", {"text": row.number[:60]}))
    said = {field: value for field in _FIELDS if (value := getattr(row, field)) is not None}
    if known is None:
        for field in ("department", "employment"):
            if field not in said and not any(error.field == field for error in errors):
                if chosen := getattr(choices, field):
                    said[field] = chosen
                else:
                    errors.append(Error(field, f"{field}_missing", {}))
    if name := said.get("department"):
        kept = departments.get(plain_department(name))
        if kept is None and not choices.create_departments:
            errors.append(Error("department", "department_unknown", {"text": name[:60]}))
        said["department"] = kept or name
    if known is not None:
        errors += _against_record(row, known, errors)
    if errors:
        return Match("refused", errors=tuple(errors), warnings=tuple(warnings))
    if known is None:
        doses = tuple(DoseWish(None, dose.on, dose.product_code, dose.lot, dose.place) for dose in row.doses)
        return Match("new", (), (), tuple(warnings), {**said, "number": row.number or ""}, doses, row.statement)
    fields = {field: value for field, value in said.items() if value != getattr(known, field)}
    changes = [Change(field, _text(getattr(known, field)), _text(value)) for field, value in fields.items()]
    if "name" in fields:
        warnings.append(Reason("name_differs", {"old": known.name, "new": row.name}))
    wishes, dose_changes = _match_doses(row.doses, known.doses)
    warnings += [Reason("dose_was_withdrawn", {"on": wish.on.isoformat()}) for wish in wishes if wish.on in known.withdrawn]
    changes += dose_changes
    statement = row.statement
    if statement in ("not_started", "elsewhere") and known.doses:
        statement = None
        warnings.append(Reason("statement_not_taken"))
    elif statement and known.said and (known.said[0] == statement or known.said[1] >= today):
        statement = None
    if statement:
        changes.append(Change("statement", known.said[0] if known.said else None, statement))
    if not changes:
        return Match("same", warnings=tuple(warnings))
    return Match("changed", tuple(changes), (), tuple(warnings), fields, wishes, statement)


def _text(value: str | date | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value


def _against_record(row: ParsedRow, known: Known, errors: Sequence[Error]) -> list[Error]:
    """What the row alone does not show: the file gives one half, the record the other."""
    found = []
    told = {error.code for error in errors}
    joined_on, left_on = row.joined_on or known.joined_on, row.left_on or known.left_on
    if joined_on and left_on and left_on < joined_on and (row.joined_on or row.left_on) and "left_before_joined" not in told:
        field = "left_on" if row.left_on else "joined_on"
        found.append(Error(field, "left_before_joined", {"left_on": left_on.isoformat(), "joined_on": joined_on.isoformat()}))
    born_on = row.born_on or known.born_on
    if born_on and "dose_before_birth" not in told:
        doses: list[tuple[str, int, date]] = [(f"dose{dose.ordinal}_on", dose.ordinal, dose.on) for dose in row.doses]
        if row.born_on:
            doses += [("born_on", place, dose.on) for place, dose in enumerate(known.doses, 1)]
        for field, ordinal, on in doses:
            if on < born_on:
                params = {"ordinal": ordinal, "on": on.isoformat(), "born_on": born_on.isoformat()}
                found.append(Error(field, "dose_before_birth", params))
                break
    return found


def _says_nothing_new(told: str, kept: str) -> bool:
    """The file names the same product, or the less exact one that the record's product is a kind of."""
    code: str | None = kept
    while code is not None and code != told:
        product = COVID19.product_by_code.get(code)
        code = product.within if product else None
    return code is not None


def _match_doses(told: Sequence[ParsedDose], kept: Sequence[KnownDose]) -> tuple[tuple[DoseWish, ...], list[Change]]:
    """The same day and product is the same dose; else the nth of the file corrects the nth on record, where that is not another's."""
    taken: dict[int, int] = {}  # place in the file → place on record
    for i, dose in enumerate(told):
        exact = [k for k, one in enumerate(kept) if one.on == dose.on and one.product_code == dose.product_code]
        near = [k for k, one in enumerate(kept) if one.on == dose.on and _says_nothing_new(dose.product_code, one.product_code)]
        for k in (*exact, *near):
            if k not in taken.values():
                taken[i] = k
                break
    wishes: list[DoseWish] = []
    changes: list[Change] = []
    matched = set(taken.values())
    for i, dose in enumerate(told):
        prefix = f"dose{dose.ordinal}_"
        if i in taken:
            old = kept[taken[i]]
            lot, place = dose.lot or old.lot, dose.place or old.place
            if (lot, place) == (old.lot, old.place):
                continue
            wishes.append(DoseWish(old.id, old.on, old.product_code, lot, place))
            changes += _changes(prefix, (("lot", old.lot, lot), ("place", old.place, place)))
            continue
        position = dose.ordinal - 1
        if position < len(kept) and position not in matched:
            old = kept[position]
            wishes.append(DoseWish(old.id, dose.on, dose.product_code, dose.lot or old.lot, dose.place or old.place))
            before = (("on", old.on, dose.on), ("product", old.product_code, dose.product_code))
            changes += _changes(prefix, (*before, ("lot", old.lot, dose.lot or old.lot), ("place", old.place, dose.place or old.place)))
        else:
            wishes.append(DoseWish(None, dose.on, dose.product_code, dose.lot, dose.place))
            parts = (("on", dose.on), ("product", dose.product_code), ("lot", dose.lot), ("place", dose.place))
            changes += _changes(prefix, tuple((part, None, value) for part, value in parts))
    return tuple(wishes), changes


def _changes(prefix: str, parts: Sequence[tuple[str, str | date | None, str | date | None]]) -> list[Change]:
    return [Change(f"{prefix}{part}", _text(old), _text(new)) for part, old, new in parts if old != new]
