"""The child that opens what strangers made: any file becomes rows of cells, or a refusal, within limits of memory and time."""

import csv
import datetime
import io
import json
import math
import re
import signal
import struct
import sys
import zipfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.personnel.rules.columns import Cell, fields_found
from services.personnel.rules.xlsx_cells import cells_in_their_own_words

MOST_UNPACKED_BYTES = 100_000_000
MOST_MEMORY_BYTES = 1 << 30
MOST_SECONDS = 60
MOST_CPU_SECONDS = 20  # the rest is waiting for a busy machine
MOST_ROWS = 60_000
MOST_COLUMNS = 200
MOST_OTHER_ROWS = 60_000
"""Of all other sheets together: so many are kept to be chosen afterwards, in the order of the workbook."""


class _No(Exception):
    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class _Packed:
    """Rows with each different value once: a staff list repeats itself, and what goes through the pipe stays small."""

    def __init__(self) -> None:
        self.values: list[Cell] = [""]
        self.numbers = array("I")
        self.widths: list[int] = []
        self._texts: dict[str, int] = {"": 0}
        self._others: dict[tuple[type, object], int] = {}

    def add(self, cells: Sequence[Any]) -> None:
        ids = []
        last = 0
        for i, cell in enumerate(cells, 1):
            if type(cell) is str:
                if (known := self._texts.get(cell)) is None:
                    known = self._texts[cell] = len(self.values) if cell.strip() else 0
                    if known:
                        self.values.append(cell)
            elif (known := self._others.get((type(cell), cell))) is None:
                known = self._others[type(cell), cell] = len(self.values)
                self.values.append(_plain(cell))
            ids.append(known)
            if known:
                last = i
        if last > MOST_COLUMNS:
            raise _No("too_many_columns", limit=MOST_COLUMNS)
        self.numbers.extend(ids[:last])
        self.widths.append(last)

    def trim(self) -> None:
        while self.widths and not self.widths[-1]:
            self.widths.pop()
        if not self.widths:
            raise _No("empty_sheet")
        if len(self.widths) > MOST_ROWS:
            raise _No("too_many_rows", limit=MOST_ROWS)

    def first_rows(self, count: int = 50) -> list[list[Cell]]:
        rows, at = [], 0
        for width in self.widths[:count]:
            rows.append([self.values[i] for i in self.numbers[at : at + width]])
            at += width
        return rows


def _plain(cell: object) -> Cell:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return "#NUM!"
        return int(cell) if cell.is_integer() else cell
    if isinstance(cell, int):
        return cell
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ", "seconds")
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell)


def _packed(rows: Iterable[Sequence[Any]], pad: int = 0) -> _Packed:
    packed = _Packed()
    before = [""] * pad
    blank = 0
    for row in rows:
        packed.add([*before, *row] if pad else row)
        blank = 0 if packed.widths[-1] else blank + 1
        if len(packed.widths) - blank > MOST_ROWS:
            raise _No("too_many_rows", limit=MOST_ROWS)
    return packed


def _kind(data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        return "zip"
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in data or _protected_xls(data):
            raise _No("encrypted")
        return "xls"
    if not data.strip(b"\0\r\n\t ,;"):
        raise _No("empty_sheet")
    start = data[:4096]
    if (
        start.lstrip(b"\xef\xbb\xbf \r\n\t")[:200]
        .lower()
        .startswith((b"<!doctype", b"<html", b"<table", b"<meta", b"<?xml", b"<style", b"<head"))
    ):
        raise _No("web_page")
    odd = sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1a\x1b" for byte in start)
    if not start.startswith((b"\xff\xfe", b"\xfe\xff")) and (odd > len(start) // 100 or start.startswith(b"%PDF")):
        raise _No("not_a_sheet")
    return "csv"


def _protected_xls(data: bytes) -> bool:
    """A FILEPASS record among the first of the workbook; calamine only says that it does not know the format."""
    at = data.find(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    for _ in range(5):
        if at < 0 or at + 4 > len(data):
            return False
        kind, length = struct.unpack_from("<HH", data, at)
        if kind == 0x2F:
            return True
        at += 4 + length
    return False


def _kind_of_zip(data: bytes) -> tuple[str, zipfile.ZipFile]:
    try:
        packed = zipfile.ZipFile(io.BytesIO(data))
        names = set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error, UnicodeDecodeError):
        raise _No("damaged") from None
    if sum(member.file_size for member in packed.infolist()) > MOST_UNPACKED_BYTES or len(names) > 5000:
        raise _No("too_large")
    if "xl/workbook.xml" in names:
        return "xlsx", packed
    if "content.xml" in names and "META-INF/manifest.xml" in names:
        if b"encryption-data" in packed.read("META-INF/manifest.xml"):
            raise _No("encrypted")
        return "ods", packed
    raise _No("not_a_sheet")


def _read_workbook(data: bytes, kind: str, packed: zipfile.ZipFile | None, wanted: str | None) -> dict[str, Any]:
    import python_calamine as calamine  # the child's alone: the service never runs it

    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        shown = [
            s.name
            for s in book.sheets_metadata
            if s.visible == calamine.SheetVisibleEnum.Visible and s.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        names = shown or list(book.sheet_names)
        names = [*([wanted] if wanted is not None else ()), *(one for one in names if one != wanted)]
        if wanted is not None and wanted not in book.sheet_names:
            raise _No("no_such_sheet", name=wanted[:100])
        best: tuple[tuple[int, int], str, _Packed] | None = None
        others: dict[str, _Packed] = {}
        refusal: _No | None = None
        lists: list[str] = []
        for name in names:
            try:
                found = _read_one(book.get_sheet_by_name(name))
            except _No as no:
                if name == wanted:
                    raise
                refusal = refusal if refusal and refusal.code != "empty_sheet" else no
                continue
            score = (fields_found(found.first_rows()), len(found.widths))
            if score[0]:
                lists.append(name)
            others[name] = found
            if name == wanted or (wanted is None and (best is None or score > best[0])):
                best = (score, name, found)
        if best is None or (best[0][0] == 0 and wanted is None and refusal and refusal.code != "empty_sheet"):
            raise refusal or _No("empty_sheet")
    except (calamine.CalamineError, ValueError, OSError):  # it says no more than that, since it tries one format after the other
        raise _No("damaged") from None
    _, name, rows = best
    del others[name]
    kept_count = 0
    for other, found in [*others.items()]:
        kept_count += len(found.widths)
        if kept_count > MOST_OTHER_ROWS:
            del others[other]
    if kind == "xlsx" and packed is not None:
        for each, found in ((name, rows), *others.items()):
            _put(found, cells_in_their_own_words(packed, each))
    return {
        "name": name,
        "other_names": [other for other in book.sheet_names if other != name],
        "other_lists": [other for other in lists if other != name],
        "encoding": None,
        "kind": kind,
        "packed": rows,
        "others": others,
    }


def _read_one(sheet: Any) -> _Packed:
    start, end = sheet.start, sheet.end
    if start is None or end is None:
        raise _No("empty_sheet")
    if end[1] - start[1] >= 10 * MOST_COLUMNS:
        raise _No("too_many_columns", limit=MOST_COLUMNS)
    packed = _packed(sheet.iter_rows(), pad=start[1])
    packed.trim()
    return packed


def _put(rows: _Packed, marks: dict[tuple[int, int], str]) -> None:
    """What calamine left empty or plain, said as the file says it."""
    old, old_widths = rows.numbers, rows.widths
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), text in marks.items():
        if row < MOST_ROWS and column < MOST_COLUMNS:
            by_row.setdefault(row, {})[column] = text
    if not by_row:
        return
    rows.numbers, rows.widths, at = array("I"), [], 0
    for i in range(max(len(old_widths), max(by_row) + 1)):
        width = old_widths[i] if i < len(old_widths) else 0
        ids = old[at : at + width]
        at += width
        for column, text in sorted(by_row.get(i, {}).items()):
            ids.extend([0] * (column + 1 - len(ids)))
            rows.values.append(text)
            ids[column] = len(rows.values) - 1
        rows.numbers.extend(ids)
        rows.widths.append(len(ids))


def decoded(data: bytes, encoding: str | None) -> tuple[str, str]:
    """(text, encoding): as chosen, else what the byte order mark says, else UTF-8 where it is without fault, else GB18030."""
    marks = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
    tried = [encoding] if encoding else next(([name] for mark, name in marks if data.startswith(mark)), ["utf-8", "gb18030"])
    for name in tried:
        with suppress(UnicodeDecodeError):
            return data.decode(name).removeprefix("\ufeff"), name
    raise _No("wrong_encoding", encoding=tried[-1])


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 1
    try:
        for row, record in enumerate(reader, 2):  # noqa: B007  # the number of the next one, which is where a failure lies
            yield record
    except csv.Error:
        raise _No("quotes_wrong", row=row) from None


def _delimiter(text: str) -> str:
    """The one with which the headings say most, then the one that makes the most columns."""
    start = "".join(text[:200_000].splitlines(keepends=True)[:60])

    def worth(delimiter: str) -> tuple[int, int]:
        rows: list[list[Cell]] = []
        with suppress(_No):
            for record in _records(start, delimiter):
                rows.append(list(record))
        return fields_found(rows), sum(len(row) > 1 for row in rows)

    return max(",;\t", key=worth)


def _read_text_file(data: bytes, encoding: str | None, file_name: str) -> dict[str, Any]:
    text, encoding = decoded(data, encoding)
    said = re.match(r"sep=(.)\r?\n", text)  # a line that spreadsheet programs write and read
    packed = _packed(_records(text, said[1] if said else _delimiter(text)))
    packed.trim()
    name = Path(file_name).stem[:100]
    return {"name": name, "other_names": [], "other_lists": [], "encoding": encoding, "kind": "csv", "packed": packed, "others": {}}


def _read(data: bytes, wish: dict[str, Any]) -> dict[str, Any]:
    kind = _kind(data)
    packed = None
    if kind == "zip":
        kind, packed = _kind_of_zip(data)
    if kind == "csv":
        return _read_text_file(data, wish["encoding"], wish["file_name"])
    return _read_workbook(data, kind, packed, wish["sheet_name"])


def _limit() -> None:
    """Memory, time, and no core file: it would hold the staff list."""
    import resource

    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MOST_MEMORY_BYTES), (resource.RLIMIT_CPU, MOST_CPU_SECONDS)):
        with suppress(ValueError, OSError):  # macOS knows no limit of address space; time still ends it
            resource.setrlimit(what, (most, most))
    signal.alarm(MOST_SECONDS + 5)  # in case the parent is gone


def _child() -> None:
    _limit()
    (length,) = struct.unpack("<I", sys.stdin.buffer.read(4))
    wish = json.loads(sys.stdin.buffer.read(length))
    rest = b""
    try:
        found = _read(sys.stdin.buffer.read(), wish)
        packed: _Packed = found.pop("packed")
        others: dict[str, _Packed] = found.pop("others")
        rest = b"".join(one.numbers.tobytes() for one in (packed, *others.values()))
        told = [{"name": name, "values": one.values, "widths": one.widths} for name, one in others.items()]
        answer = {**found, "values": packed.values, "widths": packed.widths, "others": told}
    except _No as no:
        answer = {"refused": no.code, "params": no.params}
    except MemoryError:
        answer = {"refused": "too_large", "params": {}}
    head = json.dumps(answer, ensure_ascii=True, allow_nan=False).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(head)) + head)
    sys.stdout.buffer.write(rest)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _child()
