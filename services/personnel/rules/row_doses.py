"""The doses of one row of a staff list, and the row while it is read: where each field stands, and what is wrong so far."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from services.personnel.rules.cells import NOTHING, read_date, read_product, read_repeated_text, read_status, read_text
from services.personnel.rules.columns import Cell, Column
from services.personnel.rules.headings import DOSES, IDENTITY
from services.personnel.rules.programmes import COVID19
from shared.refusals import FieldError, Reason

_DIFFER = ("number", "name", "phone", "email")  # on every row another


class ParsedDose(NamedTuple):
    """A dose as the file tells it."""

    ordinal: int
    on: date
    product_code: str
    lot: str | None
    place: str | None


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


class Reading:
    """One row while it is read; gathers what is wrong."""

    __slots__ = ("at", "cells", "errors", "warnings", "width")

    def __init__(self, cells: Sequence[Cell], plan: Plan) -> None:
        self.cells, self.at, self.width = cells, plan.at, len(cells)
        self.errors: list[FieldError] = []
        self.warnings: list[Reason] = []

    def wrong(self, field: str, code: str, **params: Any) -> None:
        self.errors.append(FieldError(field, code, params))

    def text(self, field: str, kind: str, index: int | None) -> str | None:
        if index is None or index >= self.width or (cell := self.cells[index]) == "":
            return None
        found = read_text(cell, kind) if kind in _DIFFER else read_repeated_text(cell, kind)
        if isinstance(found, Reason):
            self.errors.append(FieldError(field, found.code, found.params))
            return None
        return found

    def day(self, field: str, index: int | None) -> date | None:
        if index is None or index >= self.width or (cell := self.cells[index]) == "":
            return None
        found = read_date(cell)
        if isinstance(found, Reason):
            self.errors.append(FieldError(field, found.code, found.params))
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
            self.errors.append(FieldError(f"{prefix}product" if product else f"{prefix}maker", found.code, found.params))
            return None
        return found


def _status_instead_of_date(error: FieldError) -> str | None:
    """ "Not vaccinated", "declined" in the column of a date are answers, not mistakes."""
    word = read_status(str(error.params.get("text", ""))) if error.code == "date_unreadable" else ""
    return word if word in ("not_started", "declined") else None


def read_doses(row: Reading, plan: Plan, today: date, said: set[str]) -> tuple[ParsedDose, ...]:
    """The doses that stand in the row; `said` takes what was answered in the place of a date."""
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
            row.warnings.append(Reason("earlier_dose_missing", {"ordinal": first_missing}))
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
        row.warnings.append(Reason("product_without_dose"))
    return tuple(doses)
