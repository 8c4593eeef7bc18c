"""How often something may be tried: buckets fill again, locks open again, and odd input is refused in words."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from services.identity.limits import forget_wrong, lockout_key, note_wrong, place_of, refuse_when_locked, take
from services.identity.tables import Bucket, Lockout
from shared.clock import real_now
from shared.refusals import Refused
from tests.doors import Door
from tests.people import ADMINISTRATOR, HEALTH
from tests.services.let_in import tell


async def try_once(identity: Door, key: str = "10.0.0.1") -> int:
    """0 when it was allowed, else the seconds to wait."""
    try:
        async with identity.rows() as tx:
            await take(tx, "a test from", key, tries=3, every=60)
    except Refused as no:
        return int(no.params["seconds"]) if (no.code, no.status) == ("too_many", 429) else -1
    return 0


async def test_a_bucket_gives_so_many_and_fills_again(identity: Door) -> None:
    assert [await try_once(identity) for _ in range(4)] == [0, 0, 0, 61]
    assert await try_once(identity, "10.0.0.2") == 0

    async with identity.rows() as tx:
        await tx.execute(update(Bucket).values(filled_at=real_now() - timedelta(seconds=61)))

    assert [await try_once(identity) for _ in range(2)] == [0, 61]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("", "", True),
        ("no address", "another", False),
    ],
)
def test_a_place_is_an_address_or_a_household_of_them(one: str, other: str, same: bool) -> None:
    assert (place_of(one) == place_of(other)) is same
    assert (lockout_key(None, "20990101", one) == lockout_key(None, "20990101", other)) is same


async def test_a_lock_opens_by_itself_and_old_mistakes_are_forgotten(identity: Door) -> None:
    key = lockout_key(None, "20990101", "10.0.0.1")
    for _ in range(10):
        async with identity.rows() as tx:
            await note_wrong(tx, key, None)

    with pytest.raises(Refused, match="locked"):
        async with identity.rows() as tx:
            await refuse_when_locked(tx, key)
    async with identity.rows() as tx:
        await tx.execute(update(Lockout).values(locked_until=real_now() - timedelta(seconds=1)))
        await refuse_when_locked(tx, key)
        await forget_wrong(tx, key)

    for _ in range(9):
        async with identity.rows() as tx:
            await note_wrong(tx, key, None)
    async with identity.rows() as tx:
        await tx.execute(update(Lockout).values(last_wrong_at=real_now() - timedelta(hours=25)))
        await note_wrong(tx, key, None)
        await refuse_when_locked(tx, key)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sessions", {"username": "a\u0000b", "password": "x"}),
        ("POST", "/sessions", {"username": "x" * 300, "password": "x"}),
        ("POST", "/sessions", {"username": "x", "password": "x", "kind": "tablet"}),
        ("POST", "/sessions", {"username": "x", "password": "x", "more": 1}),
        ("PUT", "/demo/clock", {"at": "0001-01-01T00:00:00+14:00"}),
        ("PUT", "/demo/clock", {"at": "9999-12-31T23:59:59-14:00"}),
        ("POST", "/clients", {"name": "x", "scopes": ["people:read"], "expires_on": "9999-12-31"}),
        ("POST", "/clients", {"name": "x", "scopes": [], "expires_on": "2021-12-31"}),
        ("GET", "/accounts?q=%00", None),
        ("GET", "/accounts?page=99999999999999999999", None),
        ("POST", "/roles", {"role": "leader"}),
        ("POST", "/activations", {"person_ids": []}),
    ],
)
async def test_odd_input_is_told_beside_its_field(identity: Door, method: str, path: str, body: object) -> None:
    await tell(identity)

    answer = await identity.request(method, path, ADMINISTRATOR, json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"]


@pytest.mark.parametrize("code", ["%00", "%ff%fe", "..%2f..", "7K3M9-QXT2W" * 5, "一二三四五六七八九十"])
async def test_what_is_no_code_is_not_found(identity: Door, code: str) -> None:
    answer = await identity.get(f"/activations/{code}", HEALTH)

    assert answer.status_code in (404, 422)
