"""Whom to call: the officer on duty reads names, what they answer for and their numbers; others do not."""

from shared.events import ContactsChanged, ContactState
from tests.gateway.door import GatewayDoor, words_of
from tests.gateway.duties import leader
from tests.people import LIANG_YUAN, SHEN_ZHIXING
from tests.services.notified import tell


async def test_names_stand_with_what_they_answer_for_and_a_way_to_call(gateway: GatewayDoor) -> None:
    await tell(gateway.doors.notifications)
    contact = ContactState(person_id=SHEN_ZHIXING.id, phone=None, email=None, version=2)
    browser = await leader(gateway)

    listed = await browser.get("/calls")
    await gateway.doors.notifications.hears(ContactsChanged(contacts=[contact]))
    without = await browser.get("/calls")

    assert f'href="tel:+86{SHEN_ZHIXING.phone}"' in listed.text
    assert f'<span class="nb">{SHEN_ZHIXING.phone}</span>' in listed.text  # on paper too, where buttons are not
    assert "教务处负责人" in words_of(listed)
    assert "没有号码" in words_of(without)
    assert 'href="/calls"' in (await browser.get("/menu")).text


async def test_without_the_roster_the_list_is_still_there(gateway: GatewayDoor) -> None:
    await tell(gateway.doors.notifications)
    browser = await leader(gateway)
    gateway.down("duty")

    answer = await browser.get("/calls")

    assert answer.status_code == 200
    assert SHEN_ZHIXING.name in words_of(answer)


async def test_it_is_not_everybodys(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN)

    assert (await browser.get("/calls")).status_code == 403
    assert 'href="/calls"' not in (await browser.get("/menu")).text
