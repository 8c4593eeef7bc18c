"""Exemptions hold only once a second person approved them, and lapse by themselves; a statement holds until the next one or a dose."""

import asyncio
from typing import Any

import pytest

from shared.auth import Caller
from shared.events import HealthRecordChanged, RecordLooked
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    AGENCY_WORKER,
    FU_XINGJIAN,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LU_ZHIYAO,
    RECORDS_SYSTEM,
    REPORTER,
    SECOND_HEALTH,
    STAFF,
    Person,
    id_of,
)
from tests.services.institution import settle

REASON = "药物过敏，待复查"


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


def exemption(person: Person = JIANG_CAIWEI, **more: Any) -> dict[str, Any]:
    wish = {"person_id": str(person.id), "kind": "temporary", "from_on": "2021-08-01", "until_on": "2021-10-31"}
    return {**wish, "issuer": "省人民医院", "certificate": True, "reason": REASON, **more}


async def recorded(personnel: Door, caller: Caller = HEALTH, **more: Any) -> str:
    answer = await personnel.post("/exemptions", exemption(**more), caller)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def standing(personnel: Door, person: Person = JIANG_CAIWEI) -> dict[str, Any]:
    answer = await personnel.get(f"/people/{person.id}/health", HEALTH)
    found: dict[str, Any] = answer.json()["programmes"][0]["standing"]
    return found


async def decide(personnel: Door, which: str, caller: Caller, verdict: str = "approved") -> tuple[int, str | None]:
    answer = await personnel.post(f"/exemptions/{which}/approval", {"verdict": verdict}, caller)
    return answer.status_code, answer.json().get("code")


async def test_an_exemption_holds_only_once_another_person_approved_it(personnel: Door) -> None:
    which = await recorded(personnel)
    assert (await standing(personnel))["code"] == "unknown"

    assert await decide(personnel, which, SECOND_HEALTH) == (200, None)

    found = await standing(personnel)
    assert (found["code"], found["exempt_until_on"]) == ("exempt", "2021-10-31")
    assert len(await personnel.told(HealthRecordChanged)) == 2


async def test_whoever_recorded_it_does_not_approve_it(personnel: Door) -> None:
    which = await recorded(personnel)

    assert await decide(personnel, which, HEALTH) == (409, "own_approval")

    assert (await standing(personnel))["code"] == "unknown"


@pytest.mark.parametrize(("person", "caller"), [(LU_ZHIYAO, SECOND_HEALTH), (FU_XINGJIAN, LEADER)])
async def test_nobody_approves_their_own_exemption(personnel: Door, person: Person, caller: Caller) -> None:
    which = await recorded(personnel, person=person)

    assert await decide(personnel, which, caller) == (409, "own_approval")


async def test_it_is_decided_once_also_when_two_press_at_once(personnel: Door) -> None:
    which = await recorded(personnel)

    answers = await asyncio.gather(*(decide(personnel, which, one, "refused") for one in (LEADER, SECOND_HEALTH, LEADER, SECOND_HEALTH)))

    assert sorted(answers, key=str) == [(200, None), *[(409, "decided_already")] * 3]


async def test_a_refused_exemption_changes_nothing(personnel: Door) -> None:
    which = await recorded(personnel)

    assert await decide(personnel, which, LEADER, "refused") == (200, None)

    assert (await standing(personnel))["code"] == "unknown"
    assert await decide(personnel, which, SECOND_HEALTH) == (409, "decided_already")


async def test_a_leader_decides_without_seeing_the_reason(personnel: Door) -> None:
    which = await recorded(personnel)
    by_health = (await personnel.get("/exemptions?state=pending", SECOND_HEALTH)).json()["items"]
    by_leader = (await personnel.get("/exemptions?state=pending", LEADER)).json()["items"]

    assert [one["reason"] for one in by_health] == [REASON]
    assert [(one["issuer"], one["certificate"], one["until_on"], one["reason"], one["may_decide"]) for one in by_leader] == [
        ("省人民医院", True, "2021-10-31", None, True)
    ]
    answer = await personnel.post(f"/exemptions/{which}/approval", {"verdict": "approved", "note": "同意"}, LEADER)
    assert REASON not in answer.text
    assert answer.json()["decision_note"] == "同意"


async def test_a_leader_does_not_read_the_reason_in_what_another_decider_noted(personnel: Door) -> None:
    which = await recorded(personnel)
    await personnel.post(f"/exemptions/{which}/approval", {"verdict": "refused", "note": "过敏不成立"}, SECOND_HEALTH)

    assert (await personnel.get("/exemptions", LEADER)).json()["items"][0]["decision_note"] is None
    assert (await personnel.get("/exemptions", HEALTH)).json()["items"][0]["decision_note"] == "过敏不成立"


async def test_a_look_at_exemptions_is_on_record(personnel: Door) -> None:
    await recorded(personnel)

    await personnel.get("/exemptions?state=pending", LEADER)

    looks = await personnel.told(RecordLooked)
    assert [(one.looker_name, one.what, one.person_ids, one.filter) for one in looks] == [
        (LEADER.name, "exemptions", [JIANG_CAIWEI.id], {"state": "pending", "page": 1})
    ]


async def test_the_list_counts_the_exemptions_in_each_state(personnel: Door) -> None:
    first, second, _ = [await recorded(personnel) for _ in range(3)]
    await decide(personnel, first, LEADER)
    await decide(personnel, second, LEADER, "refused")

    everything = (await personnel.get("/exemptions", HEALTH)).json()
    waiting = (await personnel.get("/exemptions?state=pending&page=2", HEALTH)).json()

    assert (everything["total"], everything["counts"]) == (3, {"pending": 1, "approved": 1, "refused": 1})
    assert (waiting["items"], waiting["total"], waiting["counts"]) == ([], 1, everything["counts"])


async def test_one_exemption_is_read_as_the_list_shows_it_and_is_a_look(personnel: Door) -> None:
    which = await recorded(personnel)

    shown = {one.name: (await personnel.get(f"/exemptions/{which}", one)).json() for one in (HEALTH, LEADER)}
    listed = {one.name: (await personnel.get("/exemptions", one)).json()["items"][0] for one in (HEALTH, LEADER)}

    assert shown == listed
    assert [shown[one.name]["reason"] for one in (HEALTH, LEADER)] == [REASON, None]
    looks = await personnel.told(RecordLooked)
    assert [(one.what, one.person_ids, one.filter) for one in looks[:2]] == [("exemptions", [JIANG_CAIWEI.id], {"exemption_id": which})] * 2
    assert (await personnel.get(f"/exemptions/{id_of('none')}", LEADER)).status_code == 404
    assert (await personnel.get(f"/exemptions/{which}", STAFF)).status_code == 403


async def test_may_decide_says_who_may(personnel: Door) -> None:
    await recorded(personnel)

    said = {one.name: (await personnel.get("/exemptions", one)).json()["items"][0]["may_decide"] for one in (HEALTH, SECOND_HEALTH, LEADER)}

    assert said == {HEALTH.name: False, SECOND_HEALTH.name: True, LEADER.name: True}


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"until_on": None}, "until_on", "required"),
        ({"kind": "permanent"}, "until_on", "never_ends"),
        ({"until_on": "2021-07-31"}, "until_on", "ends_before_it_begins"),
        ({"from_on": "0021-08-01"}, "from_on", "too_long_ago"),
        ({"person_id": str(id_of("nobody"))}, "person_id", "unknown_id"),
        ({"issuer": " "}, "issuer", "required"),
        ({"reason": "\x00"}, "reason", "odd_characters"),
        ({"kind": "for ever"}, "kind", "not_a_choice"),
        ({"state": "approved"}, "state", "unknown_field"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(personnel: Door, change: dict[str, Any], field: str, code: str) -> None:
    answer = await personnel.post("/exemptions", exemption() | change, HEALTH)

    assert answer.status_code == 422
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, code)]


async def test_a_permanent_exemption_has_no_end(personnel: Door) -> None:
    which = await recorded(personnel, kind="permanent", until_on=None)
    await decide(personnel, which, LEADER)

    found = await standing(personnel)
    assert (found["code"], found["exempt_until_on"]) == ("exempt", None)


@pytest.mark.parametrize("caller", [STAFF, AGENCY_WORKER, HEAD, REPORTER, ADMINISTRATOR, RECORDS_SYSTEM])
async def test_nobody_else_records_sees_or_decides_exemptions(personnel: Door, caller: Caller) -> None:
    which = await recorded(personnel)

    assert (await personnel.post("/exemptions", exemption(), caller)).status_code == 403
    assert (await personnel.get("/exemptions", caller)).status_code == 403
    assert await decide(personnel, which, caller) == (403, "not_allowed")


async def test_a_leader_records_none(personnel: Door) -> None:
    assert (await personnel.post("/exemptions", exemption(), LEADER)).status_code == 403


async def test_without_a_session_there_is_nothing(personnel: Door) -> None:
    assert (await personnel.get("/exemptions")).status_code == 401
    assert (await personnel.post("/statements", {})).status_code == 401


async def test_an_exemption_that_is_not_there_is_not_found(personnel: Door) -> None:
    assert await decide(personnel, str(id_of("none")), LEADER) == (404, "not_found")


def statement(kind: str, on: str = "2021-08-01", **more: Any) -> dict[str, Any]:
    return {"person_id": str(JIANG_CAIWEI.id), "kind": kind, "on": on, **more}


async def test_what_a_person_says_changes_how_they_stand(personnel: Door) -> None:
    first = await personnel.post("/statements", statement("declined", note="暂不考虑"), HEALTH)
    then = await personnel.post("/statements", statement("not_started", "2021-08-03"), HEALTH)

    assert (first.status_code, first.json()["standing"]["code"]) == (201, "declined")
    assert then.json()["standing"]["code"] == "not_started"
    record = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()["programmes"][0]
    assert {one["kind"] for one in record["statements"]} == {"declined", "not_started"}


async def test_a_dose_takes_the_place_of_a_statement(personnel: Door) -> None:
    await personnel.post("/statements", statement("declined"), HEALTH)

    dose = {"person_id": str(JIANG_CAIWEI.id), "product": "北京生物", "given_on": "2021-08-04"}

    assert (await personnel.post("/doses", dose, HEALTH)).json()["standing"]["code"] == "in_progress"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"on": "2021-08-05"}, "on", "in_future"),
        ({"on": "1984-01-01"}, "on", "before_birth"),
        ({"on": "0001-01-01"}, "on", "too_long_ago"),
        ({"person_id": str(id_of("nobody"))}, "person_id", "unknown_id"),
        ({"kind": "exempt"}, "kind", "not_a_choice"),
    ],
)
async def test_a_statement_that_cannot_be_is_refused_by_field(personnel: Door, change: dict[str, Any], field: str, code: str) -> None:
    answer = await personnel.post("/statements", statement("declined") | change, HEALTH)

    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, code)]


@pytest.mark.parametrize("caller", [STAFF, HEAD, LEADER, ADMINISTRATOR, RECORDS_SYSTEM])
async def test_only_health_records_take_statements(personnel: Door, caller: Caller) -> None:
    assert (await personnel.post("/statements", statement("declined"), caller)).status_code == 403


async def test_an_account_that_belongs_to_no_person_is_neither_of_the_two(personnel: Door) -> None:
    of_the_setup = Caller(kind="person", account_id=id_of("set-up"), name="keeper", roles=frozenset({"health"}))
    which = await recorded(personnel)

    own = await personnel.post("/exemptions", exemption(), of_the_setup)
    listed = (await personnel.get("/exemptions?state=pending", of_the_setup)).json()["items"]

    assert (own.status_code, own.json()["code"]) == (409, "say_who_you_are")
    assert await decide(personnel, which, of_the_setup) == (409, "say_who_you_are")
    assert [one["may_decide"] for one in listed] == [False]
