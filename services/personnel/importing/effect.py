"""What a commit writes, computed before its transaction: people with their pinyin, doses, standings; lines of COPY by channel."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.personnel.importing.copied import array, escaped, fields, line
from services.personnel.importing.frames import Ends, Lines
from services.personnel.importing.records import OnRecord, fresh_id, on_record, parsed_row
from services.personnel.rules import names
from services.personnel.rules.fitness import begins_at, fit, rules_that_need
from services.personnel.rules.matching import Choices, Match, match, plain_department
from services.personnel.rules.programmes import COVID19
from services.personnel.rules.standing import Exempt, Given, Span, same_birthday, timeline
from services.personnel.rules.standing import Statement as Said

STEP_ROWS = 2500
_NONE = "\\N"
PEOPLE, DOSES, STATEMENTS, STANDINGS, FITNESS = 2, 3, 4, 5, 6
"""The channels of what is written; channel 1 is what is known, channel 2 going in the rows of the import."""


class _Lists(NamedTuple):
    people: Lines
    doses: Lines
    statements: Lines
    standings: Lines
    fitness: Lines


def compute(ends: Ends) -> None:
    """Every row that was new or changed is compared once more; one whose person is not what was seen is left out, and told."""
    wish, data = ends.hear()
    known = {text.split("\t", 2)[1]: text for text in _lines(data, 1)}
    rows = _lines(data, 2)
    today, choices = date.fromisoformat(wish["today"]), Choices(**{**wish["choices"], "create_departments": False})
    ids: dict[str, str] = wish["departments"]  # also those that the commit makes
    departments = {plain_department(name): name for name in ids}
    lists = _Lists(*(Lines(ends, channel) for channel in (PEOPLE, DOSES, STATEMENTS, STANDINGS, FITNESS)))
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
            _write(lists, row.row_no, result, beside, ids, today, wish["zone"])
        if i % STEP_ROWS == STEP_ROWS - 1:
            ends.tell(done=i + 1, total=len(rows))
    for one in lists:
        one.flush()
    ends.tell(stale=stale)


def _lines(data: dict[int, bytearray], channel: int) -> list[str]:
    return data.pop(channel, bytearray()).decode().split("\n")[:-1]


def _write(lists: _Lists, row_no: int, result: Match, beside: OnRecord | None, ids: Mapping[str, str], today: date, zone: str) -> None:
    values: dict[str, Any] = {**(beside.known._asdict() if beside else {"left_on": None}), **result.fields}
    person_id = beside.known.id if beside else fresh_id()
    name, number, born_on = values["name"], values["number"], values.get("born_on")
    record = beside is None or bool(result.doses) or result.statement is not None or "born_on" in result.fields
    reached = "phone" in result.fields or "email" in result.fields
    flags = (beside is None, bool(result.fields), record, "left_on" in result.fields, reached)
    texts = (number, name, names.sort_key(name), names.findable(name, number), array(names.pieces(name, number)))
    rest = (ids[values["department"]], values["employment"], *map(values.get, ("phone", "email", "born_on", "joined_on", "left_on")))
    lists.people.add(
        f"{row_no}\t{person_id}\t{chr(9).join('t' if flag else 'f' for flag in flags)}\t{chr(9).join(map(escaped, texts))}"
        f"\t{chr(9).join(map(_text, rest))}\n"
    )
    for dose in result.doses:
        lists.doses.add(line((fresh_id(), person_id, dose.on, dose.product_code, dose.lot, dose.place, dose.corrects)))
    if result.statement:
        lists.statements.add(line((fresh_id(), person_id, result.statement)))
    if record:
        standings, fitness = _follows(result, beside, born_on, today, zone)
        lists.standings.add("".join([person_id + span for span in standings]))
        lists.fitness.add("".join([person_id + one for one in fitness]))


def _text(field: str | date | None) -> str:
    """Of those that need no escaping."""
    return _NONE if field is None else str(field)


Follows = tuple[Sequence[str], Sequence[str]]


def _follows(result: Match, beside: OnRecord | None, born_on: date | None, today: date, zone: str) -> Follows:
    corrected = {dose.corrects for dose in result.doses}
    given = [(dose.product_code, dose.on) for dose in result.doses]
    if beside:
        given += [(one.product_code, one.on) for one in beside.known.doses if one.id not in corrected]
    said = beside.statements if beside else ()
    statements = (*said, Said(result.statement, today)) if result.statement else said
    return _lines_of(same_birthday(COVID19, born_on), tuple(given), beside.exempt if beside else (), statements, zone)


@lru_cache(maxsize=8192)
def _lines_of(
    born_on: date | None, given: tuple[tuple[str, date], ...], exempt: tuple[Exempt, ...], statements: tuple[Said, ...], zone: str
) -> Follows:
    """The standings and what they make fit for. Whoever came on the same days for the same vaccine stands alike: at an institution whole
    departments go together."""
    doses = [Given(i, product, on) for i, (product, on) in enumerate(given)]
    spans = timeline(COVID19, born_on=born_on, given=doses, exempt=exempt, statements=statements)
    return [_standing(span) for span in spans], [_fitness(rule, spans, zone) for rule in rules_that_need(COVID19.code)]


def _fitness(rule: str, spans: Sequence[Span], zone: str) -> str:
    """As compute_standing writes it: a list speaks of this programme alone, and of no rule set that needs another one beside it."""
    one = fit(rule, {COVID19.code: spans})
    begin, end = (begins_at(on, ZoneInfo(zone)) for on in (one.fit_from, one.fit_until))
    return f"\t{rule}\t{begin or _NONE}\t{end or _NONE}\n"


def _standing(span: Span) -> str:
    """A span as compute_standing writes it, without whose it is; since ever and for ever are the infinities by which the calendar's ends
    are kept. Nothing in it needs escaping."""
    from_on, until_on, standing = span
    next_from_on, next_until_on, exempt_until_on = standing.next_from_on, standing.next_until_on, standing.exempt_until_on
    return (
        f"\t{COVID19.code}\t{from_on or '-infinity'}\t{until_on or 'infinity'}\t{standing.code}\t{standing.valid_count}"
        f"\t{standing.needed_count}\t{next_from_on or _NONE}\t{next_until_on or _NONE}\t{exempt_until_on or _NONE}"
        f"\t{{{','.join(standing.notes)}}}\n"
    )
