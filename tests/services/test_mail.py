"""Mail beside the inbox: a server that hangs, lies, refuses or is not there holds up nothing and nobody else."""

from typing import Any

import pytest
from sqlalchemy import select, update

from services.notifications import mail
from services.notifications.tables import Delivery
from shared.events import ContactsChanged, ContactState
from shared.house import Due, Errand
from shared.settings import settings
from tests.doors import Door
from tests.people import GU_CHANGTING, LEADER, LIANG_YUAN, PAN_XIANGYE, PEOPLE, STAFF
from tests.services.notified import SECRET_ADDRESSES, at, has_left, issued, item_of, tell
from tests.services.smtp import HOW, mail_server


async def errands(notifications: Door) -> dict[str, tuple[str, str | None]]:
    async with notifications.rows() as tx:
        return {one.payload["person_id"]: (one.state, one.error) for one in await tx.scalars(select(Errand).where(Errand.kind == "mail"))}


async def has_address(notifications: Door, person: Any, email: str | None, version: int = 2) -> None:
    await notifications.hears(ContactsChanged(contacts=[ContactState(person_id=person.id, phone=None, email=email, version=version)]))


async def test_an_order_is_mailed_to_everybody_who_has_an_address(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(notifications)
    await has_address(notifications, GU_CHANGTING, None)
    async with mail_server(monkeypatch) as server:
        notice = await issued(notifications, mail=True, title_en="Phones stay on", text_en="Everybody answers.")
        await notifications.dues()
        await notifications.errands()

    assert {to for to, _ in server.taken} == {SECRET_ADDRESSES[one.id] for one in PEOPLE if one != GU_CHANGTING}
    _, words = server.taken[0]
    assert words["Subject"] == "手机24小时开机 / Phones stay on"
    assert words["From"] == "muster@institution.example.org"
    text = words.get_content()  # type: ignore[attr-defined]
    assert "2021-08-04 10:00" in text
    assert "Everybody answers." in text
    counts = (await notifications.get(f"/notices/{notice['id']}/progress", LEADER)).json()["mail"]
    assert counts == {"sent_count": len(PEOPLE) - 1, "failed_count": 0}


async def test_without_a_mail_server_or_the_wish_nothing_is_mailed(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(notifications)
    settings.cache_clear()
    await issued(notifications, mail=True)
    async with mail_server(monkeypatch) as server:
        await issued(notifications, mail=False)
        await notifications.dues()
        await notifications.errands()

    assert (server.taken, await errands(notifications)) == ([], {})


@pytest.mark.parametrize("how", [one for one in HOW if one != "takes"])
async def test_whatever_the_server_does_the_inbox_has_the_order(notifications: Door, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    await tell(notifications)
    monkeypatch.setattr(mail, "SECONDS", 0.3)
    for_good = how in ("refuses the mailbox", "refuses the words")

    async with mail_server(monkeypatch, how) as server:
        notice = await issued(notifications, mail=True, audience={"kind": "people", "ids": [str(LIANG_YUAN.id)]})
        await notifications.dues()
        await notifications.errands()

    state, error = (await errands(notifications))[str(LIANG_YUAN.id)]
    assert (server.tries > 0, state) == (True, "failed" if for_good else "waiting"), error
    assert error
    assert "@" not in error
    assert (await item_of(notifications, STAFF, notice["id"]))["open"] is True
    person = (await notifications.get(f"/notices/{notice['id']}/people", LEADER)).json()["items"][0]
    assert (person["mailed_at"], bool(person["mail_error"])) == (None, for_good)


async def test_a_server_that_is_not_there_is_tried_again_later(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(notifications)
    async with mail_server(monkeypatch) as gone:
        pass
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{gone.port}")
    settings.cache_clear()
    await issued(notifications, mail=True, audience={"kind": "people", "ids": [str(LIANG_YUAN.id)]})
    await notifications.dues()
    await notifications.errands()
    waiting = await errands(notifications)
    async with mail_server(monkeypatch) as server:
        async with notifications.rows() as tx:
            await tx.execute(update(Errand).values(due_at=Errand.made_at))
        await notifications.errands()

    assert [state for state, _ in waiting.values()] == ["waiting"]
    assert [to for to, _ in server.taken] == [SECRET_ADDRESSES[LIANG_YUAN.id]]


async def test_one_broken_mailbox_holds_up_nobody(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(notifications)
    await has_address(notifications, GU_CHANGTING, "broken\r\nBcc: x@y.example@z")
    async with mail_server(monkeypatch) as server:
        server.refused_mailboxes.add(SECRET_ADDRESSES[PAN_XIANGYE.id])
        await issued(notifications, mail=True)
        await notifications.dues()
        await notifications.errands()

    found = await errands(notifications)
    assert len(server.taken) == len(PEOPLE) - 2
    assert {one for one, (state, _) in found.items() if state == "failed"} == {str(PAN_XIANGYE.id), str(GU_CHANGTING.id)}
    assert not [words for _, words in server.taken if words["Bcc"]]


async def test_reminders_go_to_those_missing_alone_and_once(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(notifications)
    async with mail_server(monkeypatch) as server:
        notice = await issued(notifications, mail=True, audience={"kind": "people", "ids": [str(LIANG_YUAN.id), str(GU_CHANGTING.id)]})
        await notifications.dues()
        await notifications.errands()
        await notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, STAFF)
        for clock_time in ("09:30", "10:00", "10:00"):
            await at(notifications, clock_time)
            await notifications.errands()

    subjects = [(to, words["Subject"]) for to, words in server.taken]
    late, mine = SECRET_ADDRESSES[GU_CHANGTING.id], SECRET_ADDRESSES[LIANG_YUAN.id]
    assert sorted(to for to, _ in subjects) == sorted([mine, late, late, late])
    assert [subject.startswith("[提醒") for to, subject in subjects if to == late] == [False, True, True]


async def test_what_was_withdrawn_or_is_for_somebody_who_left_is_not_sent(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(notifications)
    async with mail_server(monkeypatch) as server:
        kept = await issued(notifications, mail=True, audience={"kind": "people", "ids": [str(LIANG_YUAN.id)]})
        gone = await issued(notifications, mail=True, audience={"kind": "people", "ids": [str(GU_CHANGTING.id)]})
        await notifications.dues()
        await notifications.post(f"/notices/{gone['id']}/withdrawal", {"reason": "x"}, LEADER)
        await has_left(notifications, LIANG_YUAN)
        await notifications.errands()

    assert server.taken == []
    assert {state for state, _ in (await errands(notifications)).values()} == {"failed"}
    async with notifications.rows() as tx:
        assert len((await tx.scalars(select(Delivery.error).where(Delivery.notice_id.in_([kept["id"], gone["id"]])))).all()) == 2


async def test_many_mails_are_put_on_the_list_a_part_at_a_time(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(notifications)
    monkeypatch.setattr(mail, "AT_ONCE", 4)
    async with mail_server(monkeypatch):
        await issued(notifications, mail=True)
        await notifications.dues()

    assert len(await errands(notifications)) == len(PEOPLE)
    async with notifications.rows() as tx:
        assert (await tx.scalars(select(Due.kind).where(Due.kind == "notice.mail"))).all() == []
        assert set(await tx.scalars(select(Errand.lane))) == {"mail.example.org"}
        assert "@" not in str((await tx.scalars(select(Errand.payload))).all())
