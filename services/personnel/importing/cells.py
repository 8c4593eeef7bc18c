"""The cells of a list as they are kept: each value once, packed, and no identity number among them."""

import json
import re
import struct
import zlib
from array import array
from collections.abc import Sequence

from services.personnel.rules.columns import Cell
from services.personnel.rules.identity_numbers import has_region_and_day, is_identity_number

MARK = "［身份证号 / ID number］"
"""What stands where an identity number stood inside another column."""
STAND_IN = "11010519491231002X"
"""GB 11643's own example: put back for the mark before a row is parsed, so that the parser says what it says of identity numbers."""
_IDENTITY = re.compile(r"(?<![0-9])(?:[1-8][0-9]{16}[0-9Xx]|[1-8][0-9]{14})(?![0-9])")
_GROUPED = re.compile(r"(?<![0-9])[1-8][0-9](?:[\s-]?[0-9]){15}[\s-]?[0-9Xx](?![0-9])")


class _Numbers(dict[Cell, int]):
    """Each different value has a number; 5 and 5.0 are read alike, so that they may be one."""

    def __missing__(self, cell: Cell) -> int:
        self[cell] = number = len(self)
        return number


def pack(rows: Sequence[Sequence[Cell]]) -> tuple[bytes, int]:
    """(packed, how many cells held an identity number and hold the mark instead)."""
    known = _Numbers()
    numbers = array("I")
    for row in rows:
        numbers.extend(map(known.__getitem__, row))
    values = list(known)
    marked = {}
    for i, value in enumerate(values):
        if (clean := without_identity_numbers(value)) != value:
            values[i] = clean
            marked[i] = 0
    count = sum(1 for number in numbers if number in marked) if marked else 0
    head = json.dumps({"values": values, "widths": [len(row) for row in rows]}, ensure_ascii=False, allow_nan=False).encode(
        errors="surrogatepass"
    )
    return zlib.compress(struct.pack("<I", len(head)) + head + numbers.tobytes(), 1), count


def unpack(packed: bytes, *, stand_in: bool = False) -> list[list[Cell]]:
    """The rows; with `stand_in` as the parser is to see them."""
    told = zlib.decompress(packed)
    (length,) = struct.unpack_from("<I", told)
    head = json.loads(told[4 : 4 + length].decode(errors="surrogatepass"))
    values = head["values"]
    if stand_in:
        values = [value.replace(MARK, STAND_IN) if isinstance(value, str) and MARK in value else value for value in values]
    numbers = array("I")
    numbers.frombytes(told[4 + length :])
    rows: list[list[Cell]] = []
    at, value_at = 0, values.__getitem__
    for width in head["widths"]:
        rows.append(list(map(value_at, numbers[at : at + width])))
        at += width
    return rows


def without_identity_numbers(value: Cell) -> Cell:
    """The cell with the mark for every identity number in it."""
    if not isinstance(value, str):
        digits = str(int(value)) if abs(value) >= 10**14 else ""
        rounded = len(digits) == 18 and has_region_and_day(digits[:2], digits[6:14])
        return MARK if rounded or is_identity_number(digits) else value
    if len(value) < 15:
        return value
    found = _IDENTITY.sub(lambda one: MARK if is_identity_number(one[0]) else one[0], value)
    return _GROUPED.sub(lambda one: MARK if is_identity_number("".join(c for c in one[0] if c.isalnum())) else one[0], found)


def recode(rows: Sequence[Sequence[Cell]], was: str, to: str) -> list[list[Cell]]:
    """The cells of a text file as they read in another encoding. Raises UnicodeError where that cannot be."""
    seen: dict[str, str] = {}
    told: list[list[Cell]] = []
    for row in rows:
        fresh: list[Cell] = []
        for cell in row:
            if isinstance(cell, str) and cell and not cell.isascii():
                if cell not in seen:
                    seen[cell] = MARK.join(part.encode(was).decode(to) for part in cell.split(MARK))
                cell = seen[cell]
            fresh.append(cell)
        told.append(fresh)
    return told
