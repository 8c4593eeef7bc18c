"""Doses: given is one fact, valid another; nothing is edited, nothing is doubled."""

import asyncio
from typing import Any

import pytest

from shared.events import HealthRecordChanged, RecordLooked
from tests.doors import Door, errors_of
from tests.people import AGENCY_WORKER, HEAD, HEALTH, JIANG_CAIWEI, LEADER, RECORDS_SYSTEM, STAFF
from tests.services.institution import settle


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


def dose(product: str = "北京生物", given_on: str = "2021-03-12", **more: Any) -> dict[str, Any]:
    return {"person_id": str(JIANG_CAIWEI.id), "product": product, "given_on": given_on, **more}


async def test_a_recorded_dose_changes_the_standing(personnel: Door) -> None:
    first = await personnel.post("/doses", dose(given_on="2021-07-30"), HEALTH)
    assert first.status_code == 201, first.text
    assert first.json()["standing"]["code"] == "in_progress"

    late = await personnel.post("/doses", dose(given_on="2021-02-01"), HEALTH)

    assert late.json()["standing"]["code"] == "complete"
    assert late.json()["dose"]["number"] == 1
    assert len(await personnel.told(HealthRecordChanged)) == 2


async def test_a_dose_is_recorded_once_however_often_it_is_sent(personnel: Door) -> None:
    wish = {"person_number": JIANG_CAIWEI.number, "product": "科兴", "given_on": "2021-03-12"}

    answers = await asyncio.gather(*(personnel.post("/doses", wish, RECORDS_SYSTEM, key="the-same") for _ in range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    record = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()
    assert len(record["programmes"][0]["doses"]) == 1


async def test_a_system_that_only_writes_doses_does_not_read_from_the_answer_how_the_person_stands(personnel: Door) -> None:
    await personnel.post("/doses", dose(given_on="2021-03-12"), HEALTH)

    written = await personnel.post("/doses", dose(given_on="2021-04-12"), RECORDS_SYSTEM)
    path = f"/doses/{written.json()['dose']['id']}/corrections"
    withdrawn = await personnel.post(path, {"withdrawn": True, "note": "x"}, RECORDS_SYSTEM)

    for answer in (written, withdrawn):
        found = answer.json()
        assert (answer.status_code, found["standing"]) == (201, None)
        assert [found["dose"][one] for one in ("number", "valid", "reason")] == [None, None, None]


async def test_the_same_key_with_another_body_is_refused(personnel: Door) -> None:
    await personnel.post("/doses", dose(), HEALTH, key="k")

    again = await personnel.post("/doses", dose(given_on="2021-04-12"), HEALTH, key="k")

    assert (again.status_code, again.json()["code"]) == (422, "key_used_differently")


async def test_the_same_jab_is_not_recorded_twice(personnel: Door) -> None:
    await personnel.post("/doses", dose(), HEALTH)

    again = await personnel.post("/doses", dose(), HEALTH)

    assert (again.status_code, again.json()["code"]) == (409, "twice")


async def test_a_correction_supersedes_and_both_stay_readable(personnel: Door) -> None:
    wrong = (await personnel.post("/doses", dose(given_on="2021-03-21"), HEALTH)).json()

    right = await personnel.post(f"/doses/{wrong['dose']['id']}/corrections", {"given_on": "2021-03-12", "note": "按接种证"}, HEALTH)

    assert right.status_code == 201, right.text
    shown = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()["programmes"][0]["doses"]
    assert [(one["given_on"], one["superseded"], one["valid"]) for one in shown] == [
        ("2021-03-12", False, True),
        ("2021-03-21", True, False),
    ]


@pytest.mark.parametrize("wish", [{}, {"given_on": "2021-03-21"}, {"product": "北京生物", "lot": None}])
async def test_a_correction_that_changes_nothing_is_refused_and_makes_no_row(personnel: Door, wish: dict[str, Any]) -> None:
    which = (await personnel.post("/doses", dose(given_on="2021-03-21"), HEALTH)).json()["dose"]["id"]

    answer = await personnel.post(f"/doses/{which}/corrections", {**wish, "note": "已核对"}, HEALTH)

    assert (answer.status_code, errors_of(answer)) == (422, [("note", "nothing_changed", {})])
    shown = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()["programmes"][0]["doses"]
    assert [(one["id"], one["superseded"]) for one in shown] == [(which, False)]


async def test_taking_a_dose_back_changes_something_and_so_does_giving_it_again(personnel: Door) -> None:
    which = (await personnel.post("/doses", dose(), HEALTH)).json()["dose"]["id"]

    back = await personnel.post(f"/doses/{which}/corrections", {"withdrawn": True, "note": "登记错人"}, HEALTH)
    again = await personnel.post(f"/doses/{back.json()['dose']['id']}/corrections", {"note": "没有登记错"}, HEALTH)

    assert (back.status_code, again.status_code) == (201, 201)
    assert (back.json()["dose"]["withdrawn"], again.json()["dose"]["withdrawn"]) == (True, False)


async def test_two_who_correct_the_same_dose_at_once_make_one_correction(personnel: Door) -> None:
    wrong = (await personnel.post("/doses", dose(given_on="2021-03-21"), HEALTH)).json()["dose"]["id"]
    wish = {"given_on": "2021-03-12", "note": "按接种证"}

    answers = await asyncio.gather(*(personnel.post(f"/doses/{wrong}/corrections", wish, HEALTH) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_what_is_wrong_stands_beside_its_field(personnel: Door) -> None:
    answer = await personnel.post("/doses", dose(given_on="2021-08-05"), HEALTH)
    assert errors_of(answer) == [("given_on", "in_future", {})]

    answer = await personnel.post("/doses", dose(product="新官灭活"), HEALTH)
    assert answer.json()["errors"][0]["code"] == "product_unknown"
    assert answer.json()["errors"][0]["params"]["suggestions"]


@pytest.mark.parametrize("caller", [STAFF, HEAD, LEADER, AGENCY_WORKER])
async def test_only_health_records_and_systems_with_the_scope_record_doses(personnel: Door, caller: Any) -> None:
    answer = await personnel.post("/doses", dose(), caller)

    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")


async def test_without_a_key_nobody_is_signed_in(personnel: Door) -> None:
    assert (await personnel.post("/doses", dose())).status_code == 401


async def test_a_look_at_a_record_is_told_and_ones_own_is_not(personnel: Door) -> None:
    await personnel.get(f"/people/{STAFF.person_id}/health", HEALTH)
    await personnel.get(f"/people/{STAFF.person_id}/health", STAFF)

    looks = await personnel.told(RecordLooked)
    assert [(one.looker_name, one.person_ids) for one in looks] == [(HEALTH.name, [STAFF.person_id])]


@pytest.mark.parametrize("caller", [STAFF, HEAD, LEADER])
async def test_nobody_else_reads_a_health_record(personnel: Door, caller: Any) -> None:
    assert (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", caller)).status_code in (403, 404)
