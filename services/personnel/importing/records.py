"""Rows of the database and of the import as they pass between parent and child: lines of COPY, JSON within them."""

import json
import random
import time
from datetime import date
from typing import Any, NamedTuple

from services.personnel.importing.copied import fields
from services.personnel.rules.matching import Known, KnownDose, Match
from services.personnel.rules.rows import ParsedDose, ParsedRow
from services.personnel.rules.standing import Exempt
from services.personnel.rules.standing import Statement as Said


class OnRecord(NamedTuple):
    """A known person with what their standing follows from. `seen` changes with everything that is written about them."""

    known: Known
    seen: str
    statements: tuple[Said, ...]
    exempt: tuple[Exempt, ...]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def on_record(line: str) -> OnRecord:
    """A line of the query of known people."""
    person_id, number, name, department, employment, phone, email, *rest = fields(line)
    born_on, joined_on, left_on, seen, doses, statements, exempt = rest
    kept, withdrawn = [], []
    for dose_id, on, product, lot, place, back in json.loads(doses or "[]"):
        if back:
            withdrawn.append(date.fromisoformat(on))
        else:
            kept.append(KnownDose(dose_id, date.fromisoformat(on), product, lot, place))
    said = tuple(Said(kind, date.fromisoformat(on)) for kind, on in json.loads(statements or "[]"))
    latest = max(said, key=lambda one: one.on, default=None)
    known = Known(
        person_id or "",
        number or "",
        name or "",
        department or "",
        employment or "",
        phone,
        email,
        _day(born_on),
        _day(joined_on),
        _day(left_on),
        tuple(kept),
        tuple(withdrawn),
        (latest.kind, latest.on) if latest else None,
    )
    exempted = tuple(Exempt(kind, date.fromisoformat(begins), _day(ends)) for kind, begins, ends in json.loads(exempt or "[]"))
    return OnRecord(known, seen or "", said, exempted)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def parsed_json(row: ParsedRow) -> str:
    """What a row says, as it is kept until the commit."""
    told = {
        "name": row.name,
        "department": row.department,
        "employment": row.employment,
        "phone": row.phone,
        "email": row.email,
        "born_on": row.born_on and row.born_on.isoformat(),
        "joined_on": row.joined_on and row.joined_on.isoformat(),
        "left_on": row.left_on and row.left_on.isoformat(),
        "statement": row.statement,
        "doses": [[dose.ordinal, dose.on.isoformat(), dose.product_code, dose.lot, dose.place] for dose in row.doses],
    }
    return _json({name: value for name, value in told.items() if value})


def parsed_row(row_no: int, number: str, told: dict[str, Any]) -> ParsedRow:
    """The row that was kept."""
    doses = tuple(ParsedDose(n, date.fromisoformat(on), product, lot, place) for n, on, product, lot, place in told.get("doses", ()))
    name, department, employment, phone, email = (told.get(field) for field in ("name", "department", "employment", "phone", "email"))
    born_on, joined_on, left_on = (_day(told.get(field)) for field in ("born_on", "joined_on", "left_on"))
    said = told.get("statement")
    return ParsedRow(row_no, number, name, department, employment, phone, email, born_on, joined_on, left_on, doses, said, (), ())


def outcome_json(found: Match) -> tuple[str, str, str]:
    """(changes, errors, warnings) as JSON."""
    return (
        _dumped([{"field": one.field, "old": one.old, "new": one.new} for one in found.changes]),
        _dumped([{"field": one.field, "code": one.code, "params": dict(one.params)} for one in found.errors]),
        _dumped([{"code": one.code, "params": dict(one.params)} for one in found.warnings]),
    )


def _dumped(told: list[dict[str, Any]]) -> str:
    return _json(told) if told else "[]"


def fresh_id() -> str:
    """A UUID of version 7: rows that come together lie together in the index."""
    moment, chance = time.time_ns() // 1_000_000, random.getrandbits(74)  # an id has to be new, not secret
    part = f"{moment:012x}"
    return f"{part[:8]}-{part[8:]}-7{chance & 0xFFF:03x}-{0x8000 | chance >> 60:04x}-{chance >> 12 & 0xFFFFFFFFFFFF:012x}"
