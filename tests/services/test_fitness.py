"""Who may be sent where: computed with every change of a record, told only where it changed, never why."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from services.personnel.retell import retell
from services.personnel.rules.fitness import RULE_SETS, Need
from services.personnel.tables import Fitness
from shared.events import FitnessChanged, HealthRecordChanged, RecordLooked
from tests.doors import Door, Doors
from tests.people import HEAD, HEALTH, JIANG_CAIWEI, LEADER, LIANG_YUAN, STAFF, caller, client
from tests.services.institution import settle

MINE = caller(JIANG_CAIWEI)
CLIENT = client("records", "vaccination:read")


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


async def dose(personnel: Door, given_on: str, product: str = "北京生物", **more: Any) -> dict[str, Any]:
    wish = {"person_id": str(JIANG_CAIWEI.id), "product": product, "given_on": given_on, **more}
    answer = await personnel.post("/doses", wish, HEALTH)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def tetanus(personnel: Door, given_on: str) -> dict[str, Any]:
    return await dose(personnel, given_on, "破伤风", programme="tetanus")


async def told(personnel: Door) -> list[tuple[str, str | None, str | None, int]]:
    def day(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    states = [one for event in await personnel.told(FitnessChanged) for one in event.fitness]
    return [(one.rule, day(one.fit_from), day(one.fit_until), one.version) for one in states]


async def shown(personnel: Door, who: Any = HEALTH) -> dict[str, dict[str, Any]]:
    answer = await personnel.get(f"/people/{JIANG_CAIWEI.id}/fitness", who)
    assert answer.status_code == 200, answer.text
    return {one["rule"]: one for one in answer.json()["items"]}


async def test_whoever_completes_the_series_is_fit_for_a_testing_point_and_it_is_told_once(personnel: Door) -> None:
    await dose(personnel, "2021-03-12")
    assert await told(personnel) == []
    await dose(personnel, "2021-04-12")
    await dose(personnel, "2021-07-01")  # one that adds nothing

    assert await told(personnel) == [("testing_point", "2021-04-11T16:00:00+00:00", None, 1)]


async def test_a_correction_that_undoes_the_series_is_told_and_so_is_the_next(personnel: Door) -> None:
    await dose(personnel, "2021-03-12")
    second = (await dose(personnel, "2021-04-12"))["dose"]["id"]
    answer = await personnel.post(f"/doses/{second}/corrections", {"withdrawn": True, "note": "记错了人"}, HEALTH)
    assert answer.status_code == 201, answer.text
    await dose(personnel, "2021-04-20")

    assert [(begin and begin[:10], version) for _, begin, _, version in await told(personnel)] == [
        ("2021-04-11", 1),
        (None, 2),
        ("2021-04-19", 3),
    ]


async def test_a_dose_of_tetanus_is_fit_for_a_flood_until_ten_years_are_over(personnel: Door) -> None:
    await tetanus(personnel, "2015-06-01")
    assert (await shown(personnel))["flood_rescue"] == {
        "rule": "flood_rescue",
        "fit": True,
        "fit_from": "2015-05-31T16:00:00Z",
        "fit_until": "2025-06-01T16:00:00Z",
        "lacking": [],
    }

    await tetanus(personnel, "2021-08-03")

    assert [(rule, until, version) for rule, _, until, version in await told(personnel)] == [
        ("flood_rescue", "2025-06-01T16:00:00+00:00", 1),
        ("flood_rescue", "2031-08-03T16:00:00+00:00", 2),
    ]


async def test_an_exempt_person_is_not_fit_and_is_told_what_would_put_it_right(personnel: Door) -> None:
    wish = {"person_id": str(JIANG_CAIWEI.id), "kind": "permanent", "from_on": "2021-08-01", "issuer": "省人民医院", "certificate": True}
    exemption = (await personnel.post("/exemptions", {**wish, "reason": "过敏"}, HEALTH)).json()["id"]
    assert (await personnel.post(f"/exemptions/{exemption}/approval", {"verdict": "approved"}, LEADER)).status_code == 200

    found = (await shown(personnel))["testing_point"]

    assert (found["fit"], found["fit_from"]) == (False, None)
    assert found["lacking"] == [{"programme": "covid19", "standing": "exempt", "dose_count": 2, "from_on": None}]
    assert await told(personnel) == []


async def test_a_lapsed_dose_and_a_begun_series_are_told_with_what_is_to_go(personnel: Door) -> None:
    await dose(personnel, "2021-07-30")
    await tetanus(personnel, "2009-05-01")

    found = await shown(personnel)

    assert found["testing_point"]["lacking"] == [
        {"programme": "covid19", "standing": "in_progress", "dose_count": 1, "from_on": "2021-08-20"}
    ]
    assert (found["flood_rescue"]["fit"], found["flood_rescue"]["fit_until"]) == (False, "2019-05-01T16:00:00Z")
    assert [(one["standing"], one["dose_count"]) for one in found["flood_rescue"]["lacking"]] == [("overdue", 1)]
    assert found["none"] == {"rule": "none", "fit": True, "fit_from": None, "fit_until": None, "lacking": []}


async def test_everybody_reads_the_rule_sets(personnel: Door) -> None:
    answer = await personnel.get("/fitness/rules", STAFF)

    assert {one["code"]: one["needs"] for one in answer.json()["items"]} == {
        "testing_point": [{"programme": "covid19", "standing": "complete"}],
        "flood_rescue": [{"programme": "tetanus", "standing": "complete"}],
        "none": [],
    }


async def test_a_look_at_fitness_is_on_record_and_ones_own_is_none(personnel: Door) -> None:
    for who in (HEALTH, CLIENT):
        await shown(personnel, who)
    assert [one.person_ids for one in await personnel.told(RecordLooked)] == [[JIANG_CAIWEI.id], [JIANG_CAIWEI.id]]

    mine = (await personnel.get("/fitness/mine", MINE)).json()["items"]
    assert {one["rule"]: one for one in mine} == await shown(personnel, MINE)
    assert len(await personnel.told(RecordLooked)) == 2


@pytest.mark.parametrize(("who", "status"), [(HEAD, 404), (STAFF, 404), (LEADER, 404), (client("x", "people:read"), 403)])
async def test_nobody_else_sees_who_is_fit(personnel: Door, who: Any, status: int) -> None:
    assert (await personnel.get(f"/people/{JIANG_CAIWEI.id}/fitness", who)).status_code == status
    assert (await personnel.get("/fitness/mine", CLIENT)).status_code == 404


async def test_tetanus_stands_in_a_record_from_its_first_dose_on(personnel: Door) -> None:
    before = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()["programmes"]
    await tetanus(personnel, "2015-06-01")
    await tetanus(personnel, "2019-06-01")
    after = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()["programmes"]

    assert [one["programme"] for one in before] == ["covid19"]
    assert [(one["programme"], one["standing"]["code"]) for one in after] == [("covid19", "unknown"), ("tetanus", "complete")]
    assert [one["valid"] for one in after[1]["doses"]] == [True, True]
    people = (await personnel.get("/people", HEALTH, params={"q": JIANG_CAIWEI.number})).json()
    assert (people["total"], people["items"][0]["standing"]["programme"]) == (1, "covid19")


async def test_events_say_of_fitness_no_reason(personnel: Door) -> None:
    await dose(personnel, "2021-03-12")
    await dose(personnel, "2021-04-12")

    bodies = [body.decode() for subject, body in await personnel.told_bodies() if subject == FitnessChanged.subject]
    assert bodies
    assert all(word not in body for body in bodies for word in ("covid", "bibp", "2021-03-1", "complete"))
    assert len(await personnel.told(HealthRecordChanged)) == 2


async def test_a_rule_set_of_two_programmes_is_computed_with_either_of_them(personnel: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULE_SETS, "flood_rescue", (Need("covid19"), Need("tetanus")))
    await dose(personnel, "2021-03-12")
    await tetanus(personnel, "2015-06-01")
    await dose(personnel, "2021-04-12")

    assert ("flood_rescue", "2021-04-11T16:00:00+00:00", "2025-06-01T16:00:00+00:00", 1) in await told(personnel)


async def test_what_is_kept_of_fitness_stands_in_the_copy_and_goes_with_the_person(personnel: Door) -> None:
    await tetanus(personnel, "2015-06-01")
    copy = (await personnel.get("/people/me/copy", MINE)).json()

    assert [(one["rule"], one["fit_until"]) for one in copy["fitness"]] == [("flood_rescue", "2025-06-01T16:00:00Z")]


async def test_an_emptied_table_learns_again_who_is_fit(doors: Doors, personnel: Door) -> None:
    await tetanus(personnel, "2015-06-01")
    await dose(personnel, "2021-03-12")
    await dose(personnel, "2021-04-12")
    before = await told(personnel)

    await retell(personnel.database)

    events = await personnel.told(FitnessChanged)
    again = [one for event in events if event.telling for one in event.fitness]
    assert sorted((one.rule, one.version) for one in again) == sorted((one[0], one[3]) for one in before)
    async with personnel.rows() as tx:
        assert {row.person_id for row in await tx.scalars(select(Fitness))} == {JIANG_CAIWEI.id}
    assert LIANG_YUAN.id not in {one.person_id for one in again}
