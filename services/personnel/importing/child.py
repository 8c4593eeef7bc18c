"""The child of an import: reads a file, compares rows with the record, computes what a commit writes. It has no database and no secrets."""

import gc
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from services.personnel.importing.cells import MARK, STAND_IN, pack, recode, unpack, without_identity_numbers
from services.personnel.importing.copied import escaped, line
from services.personnel.importing.frames import Ends, Lines
from services.personnel.importing.records import on_record, outcome_json, parsed_json
from services.personnel.rules.columns import (
    SAMPLED_ROWS,
    Cell,
    Column,
    data_rows,
    drop_identity_numbers,
    find_heading_row,
    headings_at,
    map_columns,
    text_of,
)
from services.personnel.rules.headings import IDENTITY
from services.personnel.rules.matching import Choices, match, plain_department
from services.personnel.rules.rows import Plan, find_doubles, parse_row
from shared.refusals import Refused

MOST_MEMORY_BYTES = 1 << 30
MOST_SECONDS = 170
STEP_ROWS = 5000
SHOWN_ROWS, SHOWN_CELLS = 12, 12

Rows = Sequence[Sequence[Cell]]


def _headings(rows: Rows, heading_row: int | None) -> list[str]:
    return [] if heading_row is None else headings_at(rows, heading_row)


def columns_of(rows: Rows, heading_row: int, chosen: Mapping[int, str | None], identity: Mapping[int, str]) -> list[Column]:
    """Where each column goes. Those that held identity numbers are known by their place (index → note): their cells are empty by now."""
    headings = headings_at(rows, heading_row)
    named = {i: headings[i] for i in identity if i < len(headings)}
    for i in named:
        headings[i] = ""
    samples = rows[heading_row + 1 : heading_row + 1 + SAMPLED_ROWS]
    found = {one.index: one for one in map_columns(headings, samples, chosen={i: f for i, f in chosen.items() if i not in identity})}
    for i, note in identity.items():
        found[i] = Column(i, named.get(i, ""), IDENTITY, note)
    return [found[i] for i in sorted(found)]


def take(ends: Ends) -> None:
    """A file becomes cells without identity numbers."""
    from services.personnel.workbooks import read_sheet

    wish, data = ends.hear()
    sheet = read_sheet(bytes(data.pop(1, b"")), wish["file_name"], encoding=wish["encoding"], sheet_name=wish["sheet_name"])
    names = {
        "file_name": without_identity_numbers(wish["file_name"]),
        "sheet": without_identity_numbers(sheet.name),
        "other_sheets": [without_identity_numbers(name) for name in sheet.other_names],
        "other_lists": [without_identity_numbers(name) for name in sheet.other_lists],
    }
    others: list[dict[str, Any]] = []
    packed_others: list[bytes] = []
    for name, rows in sheet.others.items():
        plain = str(without_identity_numbers(name))
        if plain == names["sheet"] or any(plain == one["name"] for one in others):
            continue  # told apart by nothing but identity numbers
        packed, told = _kept(rows, None)
        others.append({"name": plain, "length": len(packed), "found": {**told, "sheet": plain}})
        packed_others.append(packed)
    packed, told = _kept(sheet.rows, None)
    for one in (packed, *packed_others):
        ends.send(1, one)
    ends.tell(**names, **told, kind=sheet.kind, encoding=sheet.encoding, length=len(packed), others=others)


def reread(ends: Ends) -> None:
    """Cells of a text file in another encoding, or with the headings in another row."""
    wish, data = ends.hear()
    rows = unpack(bytes(data.pop(1)))
    if wish["encoding"] != wish["was"]:
        try:
            rows = recode(rows, wish["was"], wish["encoding"])
        except UnicodeError:
            raise Refused("wrong_encoding", 422, {"encoding": wish["encoding"]}) from None
    packed, told = _kept(rows, wish["heading_row"])
    ends.send(1, packed)
    ends.tell(**told, encoding=wish["encoding"])


def _kept(rows: list[list[Cell]], heading_row: int | None) -> tuple[bytes, dict[str, Any]]:
    """The rows without identity numbers, packed, and what was found in them."""
    if heading_row is None:
        heading_row = find_heading_row(rows)
    first = 0 if heading_row is None else heading_row + 1
    columns = map_columns(_headings(rows, heading_row), rows[first : first + SAMPLED_ROWS])
    identity = [column for column in columns if column.field == IDENTITY]
    dropped_count = drop_identity_numbers(rows, identity, -1 if heading_row is None else heading_row)
    packed, marked_count = pack(rows)
    return packed, {
        "heading_row": heading_row,
        "identity_columns": {column.index: column.note for column in identity},
        "identity_numbers_count": dropped_count + marked_count,
        "sheet_rows_count": len(rows),
    }


def preview(ends: Ends) -> None:
    """Rows beside what is known: outcome, changes, errors of each."""
    wish, data = ends.hear()
    rows = unpack(bytes(data.pop(1)), stand_in=True)
    shown = [{"row_no": i, "cells": [_plain(cell)[:60] for cell in row[:SHOWN_CELLS]]} for i, row in enumerate(rows[:SHOWN_ROWS], 1)]
    heading_row = wish["heading_row"]
    if heading_row is None or heading_row >= len(rows):
        _nothing_judged(ends, shown, [], "no_heading_row")
        return
    identity = {int(i): note for i, note in wish["identity_columns"].items()}
    columns = columns_of(rows, heading_row, {int(i): field for i, field in wish["columns"].items()}, identity)
    found = {column.field for column in columns}
    for field in ("number", "name"):
        if field not in found:
            _nothing_judged(ends, shown, columns, f"no_{field}_column")
            return
    total = len(rows) - heading_row - 1
    plan, parsed, today = Plan(columns), [], date.fromisoformat(wish["today"])
    for row_no, cells in data_rows(rows, heading_row):
        parsed.append(parse_row(row_no, cells, plan, today=today))
        if len(parsed) % STEP_ROWS == 0:
            ends.tell(done=len(parsed), total=2 * total)
    parsed = find_doubles(parsed)
    del rows
    numbers = Lines(ends, 2)
    for number in {row.number for row in parsed if row.number}:
        numbers.add(line((number,)))
    numbers.flush()
    ends.tell(numbers=True)

    known_words, data = ends.hear()
    known = {text.split("\t", 2)[1]: text for text in _lines(data, 1)}  # read one by one: 50,000 people at once are 100 MB
    departments = {plain_department(name): name for name in known_words["departments"]}
    choices, there = Choices(**wish["choices"]), set(departments)
    counts: Counter[str] = Counter()
    new_departments: Counter[str] = Counter()
    out = Lines(ends, 3)
    for i, row in enumerate(parsed):
        text = known.get(escaped(row.number)) if row.number else None
        beside = on_record(text) if text else None
        if row.department and (plain := plain_department(row.department)) not in there:
            name = departments.setdefault(plain, row.department) if choices.create_departments else row.department
            new_departments[name] += 1
        result = match(row, beside.known if beside else None, departments, today=today, choices=choices)
        counts[result.outcome] += 1
        changes, errors, warnings = outcome_json(result)
        kept = parsed_json(row) if result.outcome in ("new", "changed") else "{}"
        person_id, seen = (beside.known.id, beside.seen) if beside else (None, None)
        told = (result.outcome, person_id, row.number, row.name, kept, changes, errors, warnings, seen)
        out.add(line((wish["import_id"], row.row_no, *told)))
        if i % STEP_ROWS == STEP_ROWS - 1:
            ends.tell(done=total + i, total=2 * total)
    out.flush()
    names = [{"name": name, "rows_count": count} for name, count in new_departments.items()]
    _say(ends, shown, columns, counts, names, None)


def _plain(cell: Cell) -> str:
    """As it is shown: no control characters, and the mark where the parser was given its stand-in."""
    text = text_of(cell).replace(STAND_IN, MARK)
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _lines(data: dict[int, bytearray], channel: int) -> list[str]:
    return data.pop(channel, bytearray()).decode().split("\n")[:-1]


def _nothing_judged(ends: Ends, shown: list[dict[str, Any]], columns: Sequence[Column], problem: str) -> None:
    _say(ends, shown, columns, Counter(), [], problem)


def _say(
    ends: Ends,
    shown: list[dict[str, Any]],
    columns: Sequence[Column],
    counts: Mapping[str, int],
    new_departments: list[dict[str, Any]],
    problem: str | None,
) -> None:
    figures = {outcome: counts.get(outcome, 0) for outcome in ("new", "changed", "same", "refused")}
    told = [(one.index, _plain(one.heading)[:200], _plain(one.sample), one.field, one.note) for one in columns]
    ends.tell(
        columns=[dict(zip(("index", "heading", "sample", "field", "note"), one, strict=True)) for one in told],
        counts={**figures, "rows": sum(figures.values())},
        new_departments=new_departments,
        first_rows=shown,
        problem=problem,
    )


def effect(ends: Ends) -> None:
    """What the commit writes."""
    from services.personnel.importing.effect import compute

    compute(ends)


def refused(ends: Ends) -> None:
    """The refused rows as they were in the file, and what is wrong with each."""
    from services.personnel.importing.refused import write

    write(ends)


TASKS: Mapping[str, Callable[[Ends], None]] = {
    "take": take,
    "reread": reread,
    "preview": preview,
    "effect": effect,
    "refused": refused,
}


def _limit() -> None:
    """Memory, time, and no core file: it would hold the staff list."""
    import resource

    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MOST_MEMORY_BYTES), (resource.RLIMIT_CPU, MOST_SECONDS)):
        with suppress(ValueError, OSError):  # macOS knows no limit of address space; time still ends it
            resource.setrlimit(what, (most, most))
    signal.alarm(MOST_SECONDS + 20)  # in case the parent is gone


def _run(task: str) -> None:
    _limit()
    gc.disable()  # rows are no cycles, and looking for some among a million objects takes a third of the time
    ends = Ends(sys.stdin.buffer, sys.stdout.buffer)
    try:
        TASKS[task](ends)
    except Refused as no:
        ends.tell(refused=no.code, params=no.params)
    except MemoryError:
        ends.tell(refused="too_large", params={})
    except Exception as odd:  # where it broke, never what was in the file
        at, last = odd.__traceback__, ""
        while at is not None:
            last, at = f"{at.tb_frame.f_code.co_name}:{at.tb_lineno}", at.tb_next
        with suppress(OSError):
            ends.tell(odd=f"{task}: {type(odd).__name__} at {last}")


if __name__ == "__main__":
    _run(sys.argv[1])
