"""Looks: each person reads who looked at their record, when and on which page."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.identity.keeping import plan_removal
from shared import clock
from shared.events import PeopleRemoved, RecordLooked
from tests.doors import Door
from tests.people import ADMINISTRATOR, HE_RUONING, HEALTH, LIANG_YUAN, NOW, PAN_XIANGYE, RECORDS_SYSTEM, SECOND_HEALTH, STAFF
from tests.services.let_in import tell


def look(*people: Any, **changes: Any) -> RecordLooked:
    told = {
        "account_id": HEALTH.account_id,
        "client_id": None,
        "looker_id": HE_RUONING.id,
        "looker_name": HE_RUONING.name,
        "what": "record",
        "person_ids": [person.id for person in people],
        "people_count": len(people),
        "filter": {"q": "梁"},
        "purpose": "people/record",
        "looked_at": NOW,
    }
    return RecordLooked.model_validate(told | changes)


@pytest.fixture(autouse=True)
async def _told(identity: Door) -> None:
    await tell(identity)


async def test_a_person_sees_who_looked_when_and_on_which_page(identity: Door) -> None:
    await identity.hears(look(LIANG_YUAN))
    await identity.hears(look(PAN_XIANGYE))
    await identity.hears(look(LIANG_YUAN, PAN_XIANGYE, what="list", purpose="people/list", looked_at=NOW + timedelta(minutes=1)))

    answer = await identity.get("/looks/mine", STAFF)

    assert answer.json()["total"] == 2
    assert [(row["looker_name"], row["what"], row["purpose"], row["people_count"]) for row in answer.json()["items"]] == [
        (HE_RUONING.name, "list", "people/list", 2),
        (HE_RUONING.name, "record", "people/record", 1),
    ]
    assert str(PAN_XIANGYE.id) not in answer.text
    assert "filter" not in answer.json()["items"][0]


async def test_the_same_message_twice_is_one_look(identity: Door) -> None:
    event_id = uuid4()
    for _ in range(2):
        await identity.hears(look(LIANG_YUAN), event_id)

    assert (await identity.get("/looks/mine", STAFF)).json()["total"] == 1


async def test_own_looks_are_told_apart(identity: Door) -> None:
    await identity.hears(look(LIANG_YUAN, looker_id=LIANG_YUAN.id, looker_name=LIANG_YUAN.name, what="copy"))
    await identity.hears(look(LIANG_YUAN, client_id=RECORDS_SYSTEM.client_id, account_id=None, looker_id=None, looker_name="records"))

    everything = (await identity.get("/looks/mine", STAFF)).json()["items"]
    others = (await identity.get("/looks/mine?others_only=true", STAFF)).json()["items"]

    assert {(row["oneself"], row["by_client"]) for row in everything} == {(True, False), (False, True)}
    assert [row["looker_name"] for row in others] == ["records"]


async def test_those_who_keep_health_records_see_the_looks_at_a_person(identity: Door) -> None:
    await identity.hears(look(LIANG_YUAN))

    answer = await identity.get(f"/looks?person_id={LIANG_YUAN.id}", SECOND_HEALTH)

    assert [(row["looker_id"], row["filter"]) for row in answer.json()["items"]] == [(str(HE_RUONING.id), {"q": "梁"})]
    for caller in (STAFF, ADMINISTRATOR):
        assert (await identity.get(f"/looks?person_id={LIANG_YUAN.id}", caller)).status_code == 403


async def test_looks_are_removed_when_their_time_is_over(identity: Door) -> None:
    await identity.hears(look(LIANG_YUAN, looked_at=NOW - timedelta(days=1095)))
    await identity.hears(look(LIANG_YUAN))
    await plan_removal(identity.database)

    clock.set_now(NOW + timedelta(days=1))
    await identity.dues()

    assert (await identity.get("/looks/mine", STAFF)).json()["total"] == 1


async def test_a_person_whose_record_was_removed_is_taken_out_of_the_looks(identity: Door) -> None:
    await identity.hears(look(LIANG_YUAN, PAN_XIANGYE))
    await identity.hears(PeopleRemoved(person_ids=[HE_RUONING.id, PAN_XIANGYE.id]))

    kept = (await identity.get("/looks", SECOND_HEALTH)).json()["items"]

    assert [(row["looker_name"], row["looker_id"], row["people_count"]) for row in kept] == [("", None, 2)]
    assert (await identity.get(f"/looks?person_id={PAN_XIANGYE.id}", SECOND_HEALTH)).json()["total"] == 0
