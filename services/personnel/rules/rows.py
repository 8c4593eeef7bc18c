"""One row of a staff list becomes a person with doses, or all that is wrong with it at once: the causes, not what follows from them."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from services.personnel.rules.cells import CHINESE_NAME, NOTHING, SUMS, read_email, read_employment, read_phone, read_status
from services.personnel.rules.columns import Cell, Column, data_rows
from services.personnel.rules.row_doses import ParsedDose as ParsedDose
from services.personnel.rules.row_doses import Plan as Plan
from services.personnel.rules.row_doses import Reading, read_doses
from shared.refusals import FieldError, Reason

RowError = FieldError


class ParsedRow(NamedTuple):
    """A row as the file tells it. With errors it is refused as a whole; warnings are told and refuse nothing. Empty stays None."""

    row_no: int
    number: str | None
    name: str | None
    department: str | None
    employment: str | None
    phone: str | None
    email: str | None
    born_on: date | None
    joined_on: date | None
    left_on: date | None
    doses: tuple[ParsedDose, ...]
    statement: str | None
    errors: tuple[RowError, ...]
    warnings: tuple[Reason, ...]


def _read_statement(row: Reading, doses: Sequence[ParsedDose]) -> str | None:
    text = row.text("status", "status", row.at.get("status"))
    if not text:
        return None
    found = read_status(text)
    if found in ("not_started", "elsewhere") and doses:
        row.wrong("status", "status_contradicts", text=text[:60])
    elif found == "exempt":
        row.warnings.append(Reason("exemption_not_imported", {"text": text[:60]}))
    elif found == "done" and not doses and not any(error.field.startswith("dose") for error in row.errors):
        row.warnings.append(Reason("status_without_dose", {"text": text[:60]}))
    elif not found and text.casefold() not in NOTHING:
        row.warnings.append(Reason("status_not_read", {"text": text[:60]}))
    return found if found in ("not_started", "declined", "elsewhere") else None


def _said_in_dates(said: set[str], doses: Sequence[ParsedDose]) -> str | None:
    if "declined" in said:
        return "declined"
    return "not_started" if said and not doses else None


def _no_person(row: Reading, plan: Plan) -> RowError | None:
    """Headings repeated on each printed page, sums and notes below the list: they are no people who lack something."""
    missing = 0
    for field in ("number", "name"):
        index = plan.at.get(field)
        cell = row.cells[index] if index is not None and index < row.width else ""
        if cell in plan.headings:
            return RowError(field, "heading_again", {})
        if _is_sum(cell):
            return RowError(field, "sum_row", {})
        missing += cell == ""
    if missing == 2:
        said = [cell for cell in row.cells if cell != ""]
        if said and _is_sum(said[0]):
            return RowError("number", "sum_row", {})
        if len(said) == 1 and isinstance(said[0], str):
            return RowError("number", "note_row", {})
    return None


def _is_sum(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) < 12 and cell.replace(" ", "").strip(":：").casefold() in SUMS


def parse_row(row_no: int, cells: Sequence[Cell], columns: Sequence[Column] | Plan, *, today: date) -> ParsedRow:
    """The row with this number in the file (the first is 1, titles count)."""
    plan = columns if isinstance(columns, Plan) else Plan(columns)
    row = Reading(cells, plan)
    at = plan.at
    if found := _no_person(row, plan):
        return ParsedRow(row_no, None, None, None, None, None, None, None, None, None, (), None, (found,), ())
    number, name = row.text("number", "number", at.get("number")), row.text("name", "name", at.get("name"))
    if number is None and not row.failed("number"):
        row.wrong("number", "no_number")
    elif number and not number.isascii():
        number = unicodedata.normalize("NFKC", number)
    if name is None and not row.failed("name"):
        row.wrong("name", "no_name")
    elif name and not any(map(str.isalpha, name)):
        row.wrong("name", "name_wrong", text=name[:60])
    elif name and " " in name and CHINESE_NAME.fullmatch(name):
        name = name.replace(" ", "")  # blanks that make a short name as wide as a long one
    department = row.text("department", "department", at.get("department"))
    if (employment := row.text("employment", "employment", at.get("employment"))) and (typed := employment):
        employment = read_employment(typed)
        if employment is None and typed.casefold() not in NOTHING:
            row.wrong("employment", "employment_unknown", text=typed[:60])
    if (phone := row.text("phone", "phone", at.get("phone"))) and (typed := phone):
        phone = read_phone(typed)
        if phone is None and typed.casefold() not in NOTHING:
            row.wrong("phone", "phone_wrong", text=typed[:60])
    if (email := row.text("email", "email", at.get("email"))) and (typed := email):
        email = read_email(typed)
        if email is None and typed.casefold() not in NOTHING:
            row.wrong("email", "email_wrong", text=typed[:60])
    born_on, joined_on, left_on = (row.day(field, at.get(field)) for field in ("born_on", "joined_on", "left_on"))
    if born_on and born_on > today:
        row.wrong("born_on", "born_in_future", on=born_on.isoformat())
        born_on = None
    if joined_on and left_on and left_on < joined_on:
        row.wrong("left_on", "left_before_joined", left_on=left_on.isoformat(), joined_on=joined_on.isoformat())
    said: set[str] = set()
    doses = read_doses(row, plan, today, said)
    if doses and born_on and doses[0].on < born_on:
        row.wrong(
            f"dose{doses[0].ordinal}_on",
            "dose_before_birth",
            ordinal=doses[0].ordinal,
            on=doses[0].on.isoformat(),
            born_on=born_on.isoformat(),
        )
    statement = _read_statement(row, doses) or _said_in_dates(said, doses)
    return ParsedRow(
        row_no,
        number,
        name,
        department,
        employment,
        phone,
        email,
        born_on,
        joined_on,
        left_on,
        doses,
        statement,
        tuple(row.errors),
        tuple(row.warnings),
    )


def parse_rows(rows: Sequence[Sequence[Cell]], heading_row: int, columns: Sequence[Column], *, today: date) -> list[ParsedRow]:
    """Every row below the headings in which anything stands, doubles refused: as many as the file has rows."""
    plan = Plan(columns)
    return find_doubles(parse_row(row_no, cells, plan, today=today) for row_no, cells in data_rows(rows, heading_row))


def find_doubles(parsed: Iterable[ParsedRow]) -> list[ParsedRow]:
    """The same rows; of those with the same number all but the first are refused, with the row of the first."""
    first: dict[str, int] = {}
    told = []
    for row in parsed:
        if row.number is not None and (seen := first.setdefault(row.number, row.row_no)) != row.row_no:
            row = row._replace(errors=(*row.errors, RowError("number", "twice_in_file", {"row": seen})))
        told.append(row)
    return told
