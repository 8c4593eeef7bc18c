"""One row of a staff list becomes a person with doses, or all that is wrong with it at once: the causes, not what follows from them."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from services.personnel.rules.cells import (
    CHINESE_NAME,
    NOTHING,
    SUMS,
    read_date,
    read_employment,
    read_phone,
    read_product,
    read_status,
    read_text,
)
from services.personnel.rules.columns import Cell, Column, data_rows
from services.personnel.rules.headings import DOSES, IDENTITY
from services.personnel.rules.programmes import COVID19
from shared.refusals import FieldError as RowError
from shared.refusals import Reason


class ParsedDose(NamedTuple):
    """A dose as the file tells it."""

    ordinal: int
    on: date
    product_code: str
    lot: str | None
    place: str | None


class ParsedRow(NamedTuple):
    """A row as the file tells it. With errors it is refused as a whole; remarks are told and refuse nothing. Empty stays None."""

    row_no: int
    number: str | None
    name: str | None
    department: str | None
    employment: str | None
    phone: str | None
    born_on: date | None
    joined_on: date | None
    left_on: date | None
    doses: tuple[ParsedDose, ...]
    statement: str | None
    errors: tuple[RowError, ...]
    remarks: tuple[Reason, ...]


class _Dose(NamedTuple):
    ordinal: int
    on: int | None
    product: int | None
    maker: int | None
    lot: int | None
    place: int | None


class Plan:
    """Where in a row each field stands; made once a file."""

    __slots__ = ("at", "doses", "headings")

    def __init__(self, columns: Sequence[Column]) -> None:
        self.at = {column.field: column.index for column in columns if column.field is not None and column.field != IDENTITY}
        self.headings = {column.heading.strip() for column in columns if column.field in ("number", "name")} - {""}
        self.doses = [_Dose(n, *(self.at.get(f"dose{n}_{part}") for part in ("on", "product", "maker", "lot", "place"))) for n in DOSES]
        self.doses = [dose for dose in self.doses if any(index is not None for index in dose[1:])]


class _Reading:
    """One row while it is read; gathers what is wrong."""

    __slots__ = ("at", "cells", "errors", "remarks", "width")

    def __init__(self, cells: Sequence[Cell], plan: Plan) -> None:
        self.cells, self.at, self.width = cells, plan.at, len(cells)
        self.errors: list[RowError] = []
        self.remarks: list[Reason] = []

    def wrong(self, field: str, code: str, **params: Any) -> None:
        self.errors.append(RowError(field, code, params))

    def text(self, field: str, kind: str, index: int | None) -> str | None:
        if index is None or index >= self.width or (cell := self.cells[index]) == "":
            return None
        found = read_text(cell, kind)
        if isinstance(found, Reason):
            self.errors.append(RowError(field, found.code, found.params))
            return None
        return found

    def day(self, field: str, index: int | None) -> date | None:
        if index is None or index >= self.width or (cell := self.cells[index]) == "":
            return None
        found = read_date(cell)
        if isinstance(found, Reason):
            self.errors.append(RowError(field, found.code, found.params))
            return None
        return found

    def failed(self, field: str) -> bool:
        return any(error.field == field for error in self.errors)

    def product(self, prefix: str, product_at: int | None, maker_at: int | None) -> str | None:
        """The code of the product; name and maker, in two columns, are read as one text."""
        if product_at is None and maker_at is None:
            return None
        product, maker = self.text(f"{prefix}product", "product", product_at), self.text(f"{prefix}maker", "maker", maker_at)
        product, maker = (text if text and text.casefold() not in NOTHING else None for text in (product, maker))
        if not (text := f"{product} {maker}" if product and maker else product or maker):
            return None
        found = read_product(text)
        if isinstance(found, Reason):
            self.errors.append(RowError(f"{prefix}product" if product else f"{prefix}maker", found.code, found.params))
            return None
        return found


def _status_instead_of_date(error: RowError) -> str | None:
    """ "Not vaccinated", "declined" in the column of a date are answers, not mistakes."""
    word = read_status(str(error.params.get("text", ""))) if error.code == "date_unreadable" else ""
    return word if word in ("not_started", "declined") else None


def _read_doses(row: _Reading, plan: Plan, today: date, said: set[str]) -> tuple[ParsedDose, ...]:
    at, errors = row.at, row.errors
    before = len(errors)
    shared_product = row.product("", at.get("product"), at.get("maker"))
    shared_wrong = len(errors) > before
    shared_place = row.text("place", "place", at.get("place"))
    doses, unread, first_missing = [], False, 0
    for dose in plan.doses:
        field = f"dose{dose.ordinal}_on"
        before = len(errors)
        on = row.day(field, dose.on)
        if len(errors) > before and (word := _status_instead_of_date(errors[-1])):
            errors.pop()
            said.add(word)
        date_wrong = len(errors) > before
        before = len(errors)
        product = row.product(f"dose{dose.ordinal}_", dose.product, dose.maker)
        product_wrong = len(errors) > before
        lot = row.text(f"dose{dose.ordinal}_lot", "lot", dose.lot)
        place = row.text(f"dose{dose.ordinal}_place", "place", dose.place)
        if lot and lot.casefold() in NOTHING:
            lot = None
        if on is None:
            if date_wrong:
                unread = True
            elif product or product_wrong or lot:
                row.wrong(field, "dose_date_missing", ordinal=dose.ordinal)
                unread = True
            else:
                first_missing = first_missing or dose.ordinal
            continue
        if on > today:
            row.wrong(field, "dose_in_future", ordinal=dose.ordinal, on=on.isoformat())
            unread = True
            continue
        if on < COVID19.begins_on:
            row.wrong(field, "dose_too_early", ordinal=dose.ordinal, on=on.isoformat())
            unread = True
            continue
        code = product or shared_product
        if code is None and not product_wrong and not shared_wrong:
            row.wrong(f"dose{dose.ordinal}_product" if dose.product is not None else "product", "product_missing", ordinal=dose.ordinal)
        if first_missing and not unread:
            row.remarks.append(Reason("earlier_dose_missing", {"ordinal": first_missing}))
            first_missing = 0
        doses.append(ParsedDose(dose.ordinal, on, code or "", lot, place or shared_place))
    for first, second in pairwise(doses):
        if second.on < first.on:
            row.wrong(
                f"dose{second.ordinal}_on",
                "doses_out_of_order",
                first=first.ordinal,
                second=second.ordinal,
                first_on=first.on.isoformat(),
                second_on=second.on.isoformat(),
            )
        elif second.on == first.on:
            row.wrong(f"dose{second.ordinal}_on", "doses_same_day", first=first.ordinal, second=second.ordinal, on=second.on.isoformat())
    if shared_product and not doses and not unread:
        row.remarks.append(Reason("product_without_dose"))
    return tuple(doses)


def _read_statement(row: _Reading, doses: Sequence[ParsedDose]) -> str | None:
    text = row.text("status", "status", row.at.get("status"))
    if not text:
        return None
    found = read_status(text)
    if found in ("not_started", "elsewhere") and doses:
        row.wrong("status", "status_contradicts", text=text[:60])
    elif found == "exempt":
        row.remarks.append(Reason("exemption_not_imported", {"text": text[:60]}))
    elif found == "done" and not doses and not any(error.field.startswith("dose") for error in row.errors):
        row.remarks.append(Reason("status_without_dose", {"text": text[:60]}))
    elif not found and text.casefold() not in NOTHING:
        row.remarks.append(Reason("status_not_read", {"text": text[:60]}))
    return found if found in ("not_started", "declined", "elsewhere") else None


def _said_in_dates(said: set[str], doses: Sequence[ParsedDose]) -> str | None:
    if "declined" in said:
        return "declined"
    return "not_started" if said and not doses else None


def _no_person(row: _Reading, plan: Plan) -> RowError | None:
    """Headings repeated on each printed page, and sums below the list: they would become people."""
    for field in ("number", "name"):
        index = plan.at.get(field)
        cell = row.cells[index] if index is not None and index < row.width else ""
        if cell in plan.headings:
            return RowError(field, "heading_again", {})
        if isinstance(cell, str) and len(cell) < 12 and cell.strip(" :：").casefold() in SUMS:
            return RowError(field, "sum_row", {})
    return None


def parse_row(row_no: int, cells: Sequence[Cell], columns: Sequence[Column] | Plan, *, today: date) -> ParsedRow:
    """The row with this number in the file (the first is 1, titles count)."""
    plan = columns if isinstance(columns, Plan) else Plan(columns)
    row = _Reading(cells, plan)
    at = plan.at
    if found := _no_person(row, plan):
        return ParsedRow(row_no, None, None, None, None, None, None, None, None, (), None, (found,), ())
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
    born_on, joined_on, left_on = (row.day(field, at.get(field)) for field in ("born_on", "joined_on", "left_on"))
    if born_on and born_on > today:
        row.wrong("born_on", "born_in_future", on=born_on.isoformat())
        born_on = None
    if joined_on and left_on and left_on < joined_on:
        row.wrong("left_on", "left_before_joined", left_on=left_on.isoformat(), joined_on=joined_on.isoformat())
    said: set[str] = set()
    doses = _read_doses(row, plan, today, said)
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
        born_on,
        joined_on,
        left_on,
        doses,
        statement,
        tuple(row.errors),
        tuple(row.remarks),
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
