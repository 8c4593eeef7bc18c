"""What a commit writes, computed before its transaction: people with their pinyin, doses, standings; lines of COPY by channel."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from services.personnel.importing.copied import array, escaped, fields, line
from services.personnel.importing.frames import Ends, Lines
from services.personnel.importing.records import OnRecord, fresh_id, on_record, parsed_row
from services.personnel.rules import names
from services.personnel.rules.matching import Choices, Match, match, plain_department
from services.personnel.rules.programmes import COVID19
from services.personnel.rules.standing import Given, Span, timeline
from services.personnel.rules.standing import Statement as Said

STEP_ROWS = 2500
_NONE = "\\N"
PEOPLE, DOSES, STATEMENTS, STANDINGS = 2, 3, 4, 5
"""The channels of what is written; channel 1 is what is known, channel 2 going in the rows of the import."""


class _Lists(NamedTuple):
    people: Lines
    doses: Lines
    statements: Lines
    standings: Lines


def compute(ends: Ends) -> None:
    """Every row that was new or changed is compared once more; one whose person is not what was seen is left out, and told."""
    wish, data = ends.hear()
    known = {text.split("\t", 2)[1]: text for text in _lines(data, 1)}
    rows = _lines(data, 2)
    today, choices = date.fromisoformat(wish["today"]), Choices(**{**wish["choices"], "create_departments": False})
    ids: dict[str, str] = wish["departments"]  # also those that the commit makes
    departments = {plain_department(name): name for name in ids}
    lists = _Lists(*(Lines(ends, channel) for channel in (PEOPLE, DOSES, STATEMENTS, STANDINGS)))
    stale: list[int] = []
    for i, text in enumerate(rows):
        row_no, number, told, seen = fields(text)
        row = parsed_row(int(row_no or 0), number or "", json.loads(told or "{}"))
        record = known.get(escaped(row.number or ""))
        beside = on_record(record) if record else None
        result = match(row, beside.known if beside else None, departments, today=today, choices=choices)
        if (beside.seen if beside else None) != seen or result.outcome == "refused":
            stale.append(row.row_no)
        elif result.outcome != "same":
            _write(lists, row.row_no, result, beside, ids, today)
        if i % STEP_ROWS == STEP_ROWS - 1:
            ends.tell(done=i + 1, total=len(rows))
    for one in lists:
        one.flush()
    ends.tell(stale=stale)


def _lines(data: dict[int, bytearray], channel: int) -> list[str]:
    return data.pop(channel, bytearray()).decode().split("\n")[:-1]


def _write(lists: _Lists, row_no: int, result: Match, beside: OnRecord | None, ids: Mapping[str, str], today: date) -> None:
    values: dict[str, Any] = {**(beside.known._asdict() if beside else {"left_on": None}), **result.fields}
    person_id = beside.known.id if beside else fresh_id()
    name, number, department = values["name"], values["number"], values["department"]
    days = tuple(values.get(field) for field in ("born_on", "joined_on", "left_on"))
    record = beside is None or bool(result.doses) or result.statement is not None or "born_on" in result.fields
    lists.people.add(
        line(
            (
                row_no, person_id, beside is None, bool(result.fields), record, "left_on" in result.fields,
                number, name, names.sort_key(name), names.findable(name, number), array(names.pieces(name, number)),
                ids[department], values["employment"], values.get("phone"), *days,
            )
        )
    )  # fmt: skip
    for dose in result.doses:
        lists.doses.add(line((fresh_id(), person_id, dose.on, dose.product_code, dose.lot, dose.place, dose.corrects)))
    if result.statement:
        lists.statements.add(line((fresh_id(), person_id, result.statement)))
    if record:
        for span in _spans(result, beside, days[0], today):
            lists.standings.add(_standing(person_id, span))


def _spans(result: Match, beside: OnRecord | None, born_on: date | None, today: date) -> Sequence[Span]:
    corrected = {dose.corrects for dose in result.doses}
    given = [Given(i, dose.product_code, dose.on) for i, dose in enumerate(result.doses)]
    if beside:
        given += [Given(one.id, one.product_code, one.on) for one in beside.known.doses if one.id not in corrected]
    said: Iterable[Said] = beside.statements if beside else ()
    statements = [*said, Said(result.statement, today)] if result.statement else [*said]
    return timeline(COVID19, born_on=born_on, given=given, exempt=beside.exempt if beside else (), statements=statements)


def _standing(person_id: str, span: Span) -> str:
    """A span as compute_standing writes it; since ever and for ever are the infinities by which the calendar's ends are kept. Nothing in
    it needs escaping, and there are 200,000 of them."""
    from_on, until_on, standing = span
    next_from_on, next_until_on, exempt_until_on = standing.next_from_on, standing.next_until_on, standing.exempt_until_on
    return (
        f"{person_id}\t{COVID19.code}\t{from_on or '-infinity'}\t{until_on or 'infinity'}\t{standing.code}\t{standing.valid_count}"
        f"\t{standing.needed_count}\t{next_from_on or _NONE}\t{next_until_on or _NONE}\t{exempt_until_on or _NONE}"
        f"\t{{{','.join(standing.notes)}}}\n"
    )
