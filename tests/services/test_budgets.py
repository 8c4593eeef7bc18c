"""The number of statements of a request does not grow with its rows, and stays within its budget."""

from datetime import date
from typing import Any
from uuid import UUID, uuid5

from services.personnel.acts import compute_standing, name_person
from services.personnel.rules.names import sort_key
from services.personnel.tables import Department, Dose, Exemption, Person, Remark, Statement
from shared.auth import Caller
from shared.clock import now
from tests.doors import Door
from tests.people import HEAD, HEALTH, JIANG_CAIWEI, LEADER, STAFF, TEACHING, caller, id_of
from tests.services.budgets import MORE, allowed
from tests.services.institution import settle

MINE = caller(JIANG_CAIWEI)
READS: list[tuple[str, Caller]] = [
    ("/institution", STAFF),
    ("/departments", STAFF),
    ("/people?q=wang&department_id={department}&standing=unknown", HEALTH),
    ("/people?page_size=200", HEALTH),
    ("/people?page_size=200", HEAD),
    ("/people/export?department_id={department}", HEALTH),
    ("/people/export", HEAD),
    ("/people/me", STAFF),
    ("/people/{person}", HEALTH),
    ("/people/{person}/health", HEALTH),
    ("/people/{person}/fitness", HEALTH),
    ("/fitness/rules", STAFF),
    ("/fitness/mine", MINE),
    ("/people/me/copy", MINE),
    ("/programmes", STAFF),
    ("/coverage", HEALTH),
    ("/coverage", HEAD),
    ("/coverage/export", LEADER),
    ("/coverage/urge?page_size=200", HEALTH),
    ("/coverage/urge?page_size=200", HEAD),
    ("/coverage/urge/export", HEALTH),
    ("/exemptions?page_size=200", LEADER),
    ("/exemptions/{exemption}", LEADER),
    ("/remarks?page_size=200", HEALTH),
    ("/remarks/{remark}", HEALTH),
    ("/remarks", MINE),
]
WRITES: list[tuple[str, str, Any, Caller]] = [
    ("POST", "/doses", {"person_id": "{person}", "product": "科兴", "given_on": "2021-08-02"}, HEALTH),
    ("POST", "/doses/{dose}/corrections", {"given_on": "2021-05-05", "product": "科兴", "note": "x"}, HEALTH),
    ("POST", "/statements", {"person_id": "{person}", "kind": "declined", "on": "2021-08-04"}, HEALTH),
    (
        "POST",
        "/exemptions",
        {"person_id": "{person}", "kind": "permanent", "from_on": "2021-08-01", "issuer": "x", "certificate": True, "reason": "y"},
        HEALTH,
    ),
    ("POST", "/exemptions/{exemption}/approval", {"verdict": "approved"}, LEADER),
    ("POST", "/remarks", {"about": "dose", "text": "x"}, MINE),
    ("POST", "/remarks/{remark}/answer", {"text": "x"}, HEALTH),
    ("POST", "/people", {"number": "{fresh}", "name": "单小满", "department_id": "{department}", "employment": "trainee"}, HEALTH),
    ("PATCH", "/departments/{department}", {"deputy_id": "{person}", "version": 1}, HEALTH),
    ("PATCH", "/people/{person}", {"born_on": "1990-01-01", "left_on": "2021-08-04", "version": 1}, HEALTH),
    ("POST", "/departments", {"name": "{fresh}", "parent_id": "{department}"}, HEALTH),
]


async def grow(personnel: Door, size: int) -> dict[str, str]:
    """So many departments, people, and rows of each person; answers ids to ask for, of another person each time."""
    space = id_of(f"size-{size}")
    async with personnel.rows() as tx:
        departments = [
            Department(id=uuid5(space, f"d{i}"), name=f"处室{size}-{i}", sort_key=sort_key(f"处室{i}"), version=1) for i in range(size)
        ]
        places = [*(one.id for one in departments), *[TEACHING.id] * size]
        people = [_person(uuid5(space, f"p{i}"), f"{size}-{i}", place) for i, place in enumerate(places)]
        tx.add_all(departments)
        await tx.flush()
        tx.add_all(people)
        await tx.flush()
        for person_id in (people[0].id, JIANG_CAIWEI.id):
            tx.add_all(_rows_of(person_id, size, space))
        for person in people:
            await compute_standing(tx, person, "covid19")
    return {
        "person": str(people[0].id),
        "department": str(departments[0].id),
        "exemption": str(uuid5(space, f"exemption-{people[0].id}-0")),
        "remark": str(uuid5(space, f"remark-{people[0].id}-0")),
        "dose": str(uuid5(space, f"dose-{people[0].id}-0")),
        "fresh": f"F{size}",
    }


def _person(person_id: UUID, number: str, department_id: UUID) -> Person:
    person = Person(
        id=person_id,
        number=number,
        name="王小明",
        department_id=department_id,
        employment="permanent",
        phone="+8613800138000",
        version=1,
        created_at=now(),
        changed_at=now(),
    )
    name_person(person)
    return person


def _rows_of(person_id: UUID, size: int, space: UUID) -> list[Any]:
    signed = {"programme": "covid19", "person_id": person_id, "recorded_by": id_of("x"), "recorded_by_name": "x", "recorded_at": now()}
    rows: list[Any] = []
    for i in range(size):
        on = date(2021, 1, 1 + i)
        rows.append(Statement(kind="not_started", on=on, **signed))
        rows.append(Remark(id=uuid5(space, f"remark-{person_id}-{i}"), person_id=person_id, about="dose", text="x", written_at=now()))
        exempt: dict[str, Any] = {"kind": "temporary", "from_on": on, "until_on": on, "issuer": "x", "certificate": True, "reason": "y"}
        rows.append(Exemption(id=uuid5(space, f"exemption-{person_id}-{i}"), state="pending", **exempt, **signed))
        signs: dict[str, Any] = {"entered_by_name": "x", "entered_at": now(), "superseded": False, "withdrawn": False, "source": "import"}
        rows.append(
            Dose(
                id=uuid5(space, f"dose-{person_id}-{i}"),
                person_id=person_id,
                programme="covid19",
                product=f"product-{size}",
                given_on=on,
                **signs,
            )
        )
    return rows


def _filled(shape: Any, ids: dict[str, str]) -> Any:
    if isinstance(shape, dict):
        return {name: _filled(value, ids) for name, value in shape.items()}
    if isinstance(shape, str):
        for name, value in ids.items():
            shape = shape.replace("{" + name + "}", value)
    return shape


async def _taken(personnel: Door, method: str, path: str, body: Any, who: Caller, ids: dict[str, str]) -> int:
    answer = await personnel.request(method, _filled(path, ids), who, **({"json": _filled(body, ids)} if body else {}))
    assert answer.status_code < 300, answer.text
    return len(personnel.statements)


async def test_no_request_takes_more_statements_for_more_rows(personnel: Door) -> None:
    await settle(personnel)
    requests: list[tuple[str, str, Any, Caller]] = [*(("GET", path, None, who) for path, who in READS), *WRITES]
    few = await grow(personnel, 2)
    small = [await _taken(personnel, *request, few) for request in requests]
    many = await grow(personnel, 15)
    large = [await _taken(personnel, *request, many) for request in requests]

    for (method, path, _, who), before, after in zip(requests, small, large, strict=True):
        route = f"{method} {path.partition('?')[0]}"
        assert after <= before, f"{route} for {who.name} took {before} statements with few rows and {after} with many"
        assert before <= allowed(route), f"{route} for {who.name} took {before} statements"


def test_who_takes_more_says_why() -> None:
    assert all(why for _, why in MORE.values())
