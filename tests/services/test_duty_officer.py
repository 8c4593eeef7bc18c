"""The duty officer's rights come and go with the duty: identity holds the published intervals against the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from services.duty.retell import retell
from services.identity.tables import KnownDuty
from shared import clock
from shared.auth import verify
from shared.events import DutiesChanged, DutyState, PeopleRemoved
from tests.doors import Door, Doors
from tests.people import FANG_JIBAI, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, id_of
from tests.services.duties import IN_TURN, duty_of, fill, people, published, wish
from tests.services.let_in import has_account, signed_in, tell, token_for

BEGINS = datetime(2021, 8, 9, 0, tzinfo=UTC)  # 08:00 on the Monday
MINUTE = timedelta(minutes=1)


def told(**changes: Any) -> DutyState:
    """A duty of a day that gives rights, as duty tells it."""
    state = {
        "id": id_of("a-duty"),
        "post_id": id_of("officer"),
        "post_name": "值班员",
        "person_id": LIANG_YUAN.id,
        "starts_at": BEGINS,
        "ends_at": BEGINS + timedelta(hours=24),
        "gives_rights": True,
        "state": "published",
        "version": 2,
    }
    return DutyState.model_validate(state | changes)


async def is_officer(identity: Door, secret: str) -> bool:
    answer = await token_for(identity, secret)
    assert answer.status_code == 200, answer.text
    return "duty_officer" in answer.json()["roles"]


async def comes_in(identity: Door) -> str:
    await tell(identity)
    await has_account(identity, LIANG_YUAN)
    secret: str = (await signed_in(identity, LIANG_YUAN))["secret"]
    return secret


async def test_the_rights_last_from_the_first_to_the_last_minute(identity: Door) -> None:
    secret = await comes_in(identity)
    await identity.hears(DutiesChanged(duties=[told()]))
    seen = []
    for moment in (
        BEGINS - MINUTE,
        BEGINS,
        BEGINS + timedelta(hours=12),
        BEGINS + timedelta(hours=24) - MINUTE,
        BEGINS + timedelta(hours=24),
    ):
        clock.set_now(moment)
        seen.append(await is_officer(identity, secret))

    assert seen == [False, True, True, True, False]


async def test_the_rights_end_with_the_duty_however_long_the_token_lives(identity: Door) -> None:
    secret = await comes_in(identity)
    await identity.hears(DutiesChanged(duties=[told()]))
    clock.set_now(BEGINS + timedelta(hours=24) - MINUTE)
    given = (await token_for(identity, secret)).json()

    before = verify(given["token"])
    clock.set_now(BEGINS + timedelta(hours=24))
    after = verify(given["token"])

    assert given["officer_until"] == "2021-08-10T00:00:00Z"
    assert (before.reach("notice.issue").everything, after.reach("notice.issue").everything) == (True, False)
    assert after.person_id == LIANG_YUAN.id  # still signed in, also while identity is away


@pytest.mark.parametrize(
    "changes", [{"gives_rights": False}, {"state": "released"}, {"person_id": JIANG_CAIWEI.id}], ids=["no rights", "released", "another"]
)
async def test_another_duty_gives_none(identity: Door, changes: dict[str, Any]) -> None:
    secret = await comes_in(identity)
    await identity.hears(DutiesChanged(duties=[told(**changes)]))
    clock.set_now(BEGINS + MINUTE)

    assert not await is_officer(identity, secret)


async def test_the_newer_version_wins_in_any_order(identity: Door) -> None:
    secret = await comes_in(identity)
    clock.set_now(BEGINS + MINUTE)
    await identity.hears(DutiesChanged(duties=[told(state="released", version=3)]))
    await identity.hears(DutiesChanged(duties=[told()]))

    assert not await is_officer(identity, secret)


async def test_of_whoever_is_removed_no_duty_is_kept(identity: Door) -> None:
    await tell(identity)
    await identity.hears(DutiesChanged(duties=[told(), told(id=id_of("other-duty"), person_id=JIANG_CAIWEI.id)]))

    await identity.hears(PeopleRemoved(person_ids=[LIANG_YUAN.id]))

    async with identity.rows() as tx:
        assert list(await tx.scalars(select(KnownDuty.person_id))) == [JIANG_CAIWEI.id]


async def test_what_a_planner_publishes_and_amends_opens_and_shuts_the_door(doors: Doors, duty: Door, identity: Door) -> None:
    secret = await comes_in(identity)
    await people(duty)
    roster = await published(duty)
    await doors.pass_events()
    clock.set_now(BEGINS + MINUTE)
    before = await is_officer(identity, secret)

    amended = await fill(duty, [wish(roster["posts"][0]["id"], "2021-08-09", GU_CHANGTING)], roster["version"], reason="换班")
    await doors.pass_events()

    assert amended.status_code == 200, amended.text
    assert (before, await is_officer(identity, secret)) == (True, False)


async def test_an_emptied_table_learns_again_what_duty_retells(doors: Doors, duty: Door, identity: Door) -> None:
    await tell(identity)
    await people(duty)
    roster = await published(duty)
    await fill(duty, [wish(roster["posts"][0]["id"], "2021-08-11", GU_CHANGTING)], roster["version"], reason="换班")
    await doors.pass_events()
    before = await known(identity)
    async with identity.rows() as tx:
        await tx.execute(delete(KnownDuty))

    count = await retell(duty.database)
    await doors.pass_events()

    assert count == len(before) == 8
    assert await known(identity) == before
    assert (duty_of(roster, 0), IN_TURN[0].id, "published") in {row[:3] for row in before}
    assert {row[1] for row in before if row[2] == "released"} == {FANG_JIBAI.id}


async def known(identity: Door) -> list[Any]:
    async with identity.rows() as tx:
        columns = (KnownDuty.id, KnownDuty.person_id, KnownDuty.state, KnownDuty.starts_at, KnownDuty.ends_at, KnownDuty.version)
        return [tuple(row) for row in await tx.execute(select(*columns).order_by(KnownDuty.starts_at, KnownDuty.id))]
