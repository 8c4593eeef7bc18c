"""A due row that failed eight times is parked: the operator sees it by name, and has it tried again when its cause is mended."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from infra.parked import look
from shared import due
from shared.clock import now
from shared.due import DueLoop
from shared.house import Done, Due, Parked
from shared.settings import settings
from shared.watch import SWEEP, sweep
from tests.doors import Door
from tests.people import LEADER
from tests.services.notified import SECRET_ADDRESSES, issued, tell
from tests.services.smtp import mail_server


async def test_a_parked_due_row_is_named_and_tried_again(identity: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, done = [True], []

    async def act(tx: object, row: Due) -> None:
        if broken:
            raise ValueError("cannot be")
        done.append(row.key)

    loop = DueLoop(identity.database, {"test.kind": act})
    async with identity.rows() as tx:
        await due.later(tx, "test.kind", "some-key", now())
    for _ in range(due.FAILURES_UNTIL_PARKED):
        async with identity.rows() as tx:
            await tx.execute(update(Due).values(retry_at=now() - timedelta(days=9999)))
        await loop.round()
    monkeypatch.setenv("DATABASE_URL", identity.database.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()

    listed = await look("identity", again=False)
    assert listed[0] == "identity: 1 parked, 0 errands given up"
    assert "due: test.kind some-key: ValueError: cannot be" in listed[1]
    broken.clear()
    assert await loop.round() is False
    said = await look("identity", again=True)

    assert said == ["identity: 0 events handled, 0 still fail; 1 due rows and 0 errands are tried again now"]
    assert await loop.round()
    assert (done, await look("identity", again=False)) == (["some-key"], ["identity: 0 parked, 0 errands given up"])
    settings.cache_clear()


async def test_a_mail_that_was_given_up_is_listed_without_its_address_and_goes_out_when_it_is_tried_again(
    notifications: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(notifications)
    async with mail_server(monkeypatch) as server:
        monkeypatch.setenv("DATABASE_URL", notifications.database.engine.url.render_as_string(hide_password=False))
        server.how = "refuses the mailbox"
        notice = await issued(notifications, mail=True)
        await notifications.dues()
        await notifications.errands()
        refused = (await notifications.get(f"/notices/{notice['id']}/progress", LEADER)).json()["mail"]
        listed = await look("notifications", again=False)
        server.how = "takes"

        said = await look("notifications", again=True)
        await notifications.errands()

    count = len(SECRET_ADDRESSES)
    assert refused == {"sent_count": 0, "failed_count": count}
    assert listed[0] == f"notifications: 0 parked, {count} errands given up"
    assert sum(int(line.partition("errands: ")[2].split()[0]) for line in listed[1:]) == count
    assert not any(address in line for line in listed for address in SECRET_ADDRESSES.values())
    assert said == [f"notifications: 0 events handled, 0 still fail; 0 due rows and {count} errands are tried again now"]
    assert {to for to, _ in server.taken} == set(SECRET_ADDRESSES.values())
    assert (await look("notifications", again=False)) == ["notifications: 0 parked, 0 errands given up"]
    arrived = (await notifications.get(f"/notices/{notice['id']}/progress", LEADER)).json()["mail"]
    assert arrived == {"sent_count": count, "failed_count": 0}
    settings.cache_clear()


async def test_what_failed_and_was_done_after_all_is_not_shown_as_parked_for_ever(identity: Door) -> None:
    failed = {"handler": "h", "subject": "event.x", "body": b"{}", "tries": 8, "error": "e", "parked_at": now()}
    done_later, never_done = uuid4(), uuid4()
    async with identity.rows() as tx:
        tx.add_all(Parked(event_id=one, **failed) for one in (done_later, never_done))
        tx.add(Done(handler="h", event_id=done_later, done_at=now()))
        tx.add(row := Due(kind=SWEEP, key="", due_at=now(), payload={}, tries=0))

    async with identity.rows() as tx:
        await sweep(tx, row)

    async with identity.rows() as tx:
        assert list(await tx.scalars(select(Parked.event_id))) == [never_done]
