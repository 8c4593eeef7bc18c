"""Which column of a staff list holds what: finds the row of headings, writes each column to a field or leaves it out, with the reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.personnel.rules.headings import IDENTITY, is_dose_part, names_a_dose, read_heading
from services.personnel.rules.identity_numbers import has_region_and_day, is_identity_number

Cell = str | int | float
"""Text, or a number as it was stored: whole ones are int, also 5.0. Dates of date cells arrive as ISO text."""

SEARCHED_ROWS = 40  # titles, notes and blank rows above the headings; a list whose headings come later is asked about
SAMPLED_ROWS = 200
LOST_DIGITS = 10**15  # a spreadsheet holds 15 digits of a number; the 16th and later are rounded away


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file, where it is written to (`field`, None: nowhere), and why (`note`: a code of words.py)."""

    index: int
    heading: str
    field: str | None
    note: str | None = None
    sample: str = ""


def text_of(cell: Cell) -> str:
    """The cell as a person would read it aloud: 5 for 5.0, never 4.4E+17."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or cell.is_integer():
        return str(int(cell))
    return format(cell, ".15g")


def headings_at(rows: Sequence[Sequence[Cell]], heading_row: int) -> list[str]:
    """The headings in that row; where the row above groups them ("dose 1" over "date", "lot"), both are read together."""
    below = [text_of(cell).strip() for cell in rows[heading_row]]
    above = [text_of(cell).strip() for cell in rows[heading_row - 1]] if heading_row else []
    joined, group, any_joined = [], "", False
    for i in range(max(len(below), len(above))):
        upper, lower = above[i] if i < len(above) else "", below[i] if i < len(below) else ""
        group = upper or group
        if lower and group and is_dose_part(lower) and names_a_dose(group):
            joined.append(f"{group} {lower}")
            any_joined = True
        else:
            joined.append(lower or upper)
    return joined if any_joined else below


def find_heading_row(rows: Sequence[Sequence[Cell]]) -> int | None:
    """The index of the row that names the most fields, at least two; None where no row does."""
    best, most = None, 1
    for i, row in enumerate(rows[:SEARCHED_ROWS]):
        if sum(1 for cell in row if cell != "") < 2:
            continue
        fields = {read_heading(heading)[0] for heading in headings_at(rows, i)} - {None}
        if len(fields) > most:
            best, most = i, len(fields)
    return best


def fields_found(rows: Sequence[Sequence[Cell]]) -> int:
    """How many fields the headings of a sheet name: the sheet with the most is the staff list."""
    row = find_heading_row(rows)
    return 0 if row is None else len({read_heading(heading)[0] for heading in headings_at(rows, row)} - {None})


def map_columns(
    headings: Sequence[str], samples: Sequence[Sequence[Cell]] = (), *, chosen: Mapping[int, str | None] | None = None
) -> list[Column]:
    """Where each column is written to. `chosen` is what a person decided (index → field or None) and goes first.

    Identity numbers are recognised by heading and by content, and stay dropped whatever was chosen: they are never kept, and nothing is
    derived from them. Of two headings for one field the earlier counts.
    """
    chosen = chosen or {}
    width = max([len(headings), *(len(row) for row in samples)])
    taken = {field for i, field in chosen.items() if field is not None and i < width}
    given: set[str] = set()
    columns = []
    for i in range(width):
        heading = headings[i] if i < len(headings) else ""
        cells = [row[i] for row in samples if i < len(row) and row[i] != ""]
        field, note = read_heading(heading)
        if field != IDENTITY and mostly_identity_numbers(cells):
            field, note = IDENTITY, "identity_by_content"
        elif i in chosen and field != IDENTITY:
            field = chosen[i]
            note = ("second_of_field" if field in given else "chosen") if field else "chosen"
            field = None if field in given else field
        elif field != IDENTITY and field is not None and (field in given or field in taken):
            field, note = None, "second_of_field"
        if field is not None:
            given.add(field)
        if not heading and not cells:
            continue
        sample = "" if field == IDENTITY or not cells else text_of(cells[0])[:100]
        columns.append(Column(i, heading, field, note, sample))
    return columns


def _looks_like_identity(cell: Cell) -> bool:
    if not isinstance(cell, str) and LOST_DIGITS <= cell < 10**18:  # typed as a number: the tail was rounded away, the date is still there
        digits = str(int(cell))
        return len(digits) == 18 and has_region_and_day(digits[:2], digits[6:14])
    return is_identity_number("".join(text_of(cell).split()))


def mostly_identity_numbers(cells: Sequence[Cell]) -> bool:
    """At least half of what stands in the column are identity numbers, whatever its heading says."""
    cells = cells[:SAMPLED_ROWS]
    return bool(cells) and 2 * sum(map(_looks_like_identity, cells)) >= len(cells)


def data_rows(rows: Sequence[Sequence[Cell]], heading_row: int) -> Iterator[tuple[int, Sequence[Cell]]]:
    """(row number as in the file, cells) of every row below the headings in which anything stands."""
    for i in range(heading_row + 1, len(rows)):
        if any(cell != "" for cell in rows[i]):
            yield i + 1, rows[i]


def drop_identity_numbers(rows: Sequence[list[Cell]], columns: Sequence[Column], heading_row: int) -> int:
    """Empty the identity numbers in place, before anything is kept; answers how many there were."""
    indexes = [column.index for column in columns if column.field == IDENTITY]
    dropped = 0
    for row in rows[heading_row + 1 :]:
        for i in indexes:
            if i < len(row) and row[i] != "":
                row[i], dropped = "", dropped + 1
    return dropped
