"""The separate reader: holds the rules of the house against the tables alone, and against what callers were told was accepted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

HELD = """with held as (
  select id, person_id, tstzrange(starts_at, ends_at) as during from dispatch.assignment
  where state in ('proposed', 'confirmed', 'checked_in')
  union all select id, person_id, tstzrange(starts_at, ends_at) from duty.duty where state = 'published' and relieved_at is null)
"""
HEARERS = ("identity", "duty", "dispatch", "notifications")
NOT_DONE = (  # one that failed and was done after the bus had lost count of its tries leaves its row, and did happen
    "(select count(*) from {0}.parked p where not exists (select from {0}.done d where d.handler = p.handler and d.event_id = p.event_id))"
)
RULES = {
    "1 in two places, by the calendar": """select count(*) from calendar.booking a join calendar.booking b
        on a.person_id = b.person_id and (a.owner, a.ref) < (b.owner, b.ref) and a.during && b.during
        where a.kind <> 'unavailable' and b.kind <> 'unavailable'""",
    "1 in two places, by the services' own tables": HELD
    + "select count(*) from held a join held b on a.person_id = b.person_id and a.id < b.id and a.during && b.during",
    "1 held without its time in the calendar": HELD
    + "select count(*) from held left join calendar.booking b on b.ref = held.id and b.during = held.during where b.ref is null",
    "1 time in the calendar of nothing that is held": HELD
    + """select count(*) from calendar.booking b left join held on held.id = b.ref where b.kind <> 'unavailable' and held.id is null
        and not exists (select from dispatch.assignment a where a.id = b.ref and a.state = 'checked_out')""",
    "2 more people than asked for": """select count(*) from (select shift_id, role, count(*) as people from dispatch.assignment
        where state in ('proposed', 'confirmed', 'checked_in', 'checked_out') group by shift_id, role) held
        join dispatch.shift_role r on r.shift_id = held.shift_id and r.name = held.role where held.people > r.head_count""",
    "3 unfit and assigned": """select count(*) from dispatch.assignment a join dispatch.shift s on s.id = a.shift_id
        join dispatch.operation o on o.id = s.operation_id where a.state in ('proposed', 'confirmed') and a.override_reason is null
        and a.starts_at > clock_timestamp() and o.requirement is not null and not exists (select from dispatch.known_fitness f
        where f.person_id = a.person_id and f.rule = o.requirement and f.fit_from <= a.starts_at
        and (f.fit_until is null or f.fit_until >= a.ends_at))""",
    "6 a deadline that passed without its reminder": """select count(*) from notifications.notice n where n.withdrawn_at is null
        and n.deadline_at < clock_timestamp() and (select count(*) from notifications.reminder r
        where r.notice_id = n.id and r.kind = 'deadline') <> 1""",
    "6 more than one alert of a deadline to one person": """select count(*) from (select a.notice_id, a.department_id, p.person_id
        from notifications.alert a join notifications.alert_person p on p.alert_id = a.id where a.kind = 'missing'
        group by 1, 2, 3 having count(*) > 1) doubled""",
    "7 people in no inbox": """select count(*) from notifications.notice n where n.head_count <>
        (select count(*) from notifications.recipient r where r.notice_id = n.id)
        or n.head_count <> (select count(*) from notifications.known_person)""",
    "8 acknowledged, and not counted so": """select count(*) from notifications.notice n where
        (select count(*) from notifications.recipient r where r.notice_id = n.id and r.read_at is not null) <>
        (select coalesce(sum(d.read_count), 0) from notifications.notice_department d where d.notice_id = n.id)""",
    "8 an event that a handler gave up": "select " + " + ".join(NOT_DONE.format(one) for one in HEARERS),
    "10 on a shift at other times than its own": """select count(*) from dispatch.assignment a join dispatch.shift s on s.id = a.shift_id
        where a.state in ('proposed', 'confirmed') and (a.starts_at, a.ends_at) <> (s.starts_at, s.ends_at)""",
}
UNSENT = " + ".join(
    f"(select count(*) from {one}.outbox where sent_at is null)" for one in ("identity", "personnel", "duty", "dispatch", "notifications")
)


@dataclass
class Accepted:
    """What callers were told was done."""

    assignments: set[str] = field(default_factory=set)
    notices: set[str] = field(default_factory=set)
    read: set[tuple[str, str]] = field(default_factory=set)
    amendments: set[str] = field(default_factory=set)
    moves: list[tuple[str, datetime, tuple[str, ...]]] = field(default_factory=list)
    not_asked_again: int = 0


async def broken(url: str, accepted: Accepted) -> dict[str, int]:
    """How often each rule is broken, by the rule's number and words; and how much is still on its way."""
    connection = await asyncpg.connect(url, timeout=5)
    try:
        found = {rule: int(await connection.fetchval(asked)) for rule, asked in RULES.items()}
        found["8 sign-ups lost"] = await _gone(connection, "select id::text from dispatch.assignment", accepted.assignments)
        found["8 orders lost"] = await _gone(connection, "select id::text from notifications.notice", accepted.notices)
        found["8 amendments lost"] = await _gone(connection, "select reason from duty.amendment", accepted.amendments)
        rows = await connection.fetch("select notice_id::text, person_id::text from notifications.recipient where read_at is not null")
        found["8 acknowledgements lost"] = len(accepted.read - {(row[0], row[1]) for row in rows})
        told = await connection.fetch("""select a.params ->> 'shift_id', (a.params ->> 'starts_at')::timestamptz, p.person_id::text
            from notifications.alert a join notifications.alert_person p on p.alert_id = a.id where a.kind = 'shift_moved'""")
        heard = {(row[0], row[1], row[2]) for row in told}
        moved = {(shift_id, starts_at, person) for shift_id, starts_at, people in accepted.moves for person in people}
        found["10 not told that their shift moved"] = len(moved - heard)
        found["10 moved and not asked again"] = accepted.not_asked_again
        return found
    finally:
        await connection.close()


async def on_their_way(url: str) -> int:
    """Events that no one has sent yet."""
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return int(await connection.fetchval(f"select {UNSENT}"))
    finally:
        await connection.close()


async def _gone(connection: Any, asked: str, accepted: Iterable[str]) -> int:
    return len(set(accepted) - {row[0] for row in await connection.fetch(asked)})
