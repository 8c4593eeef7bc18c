"""The first page: one's own record and what is due, who has looked, what one reports, and what waits for whoever holds a role."""

import json
from typing import Any

import pytest

from gateway.home.looks import place_of
from services.identity.tables import Look
from shared.events import RecordLooked
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.people import (
    FU_XINGJIAN,
    HE_RUONING,
    HEALTH,
    LIANG_YUAN,
    LU_ZHIYAO,
    PAN_XIANGYE,
    SECOND_HEALTH,
    SHEN_ZHIXING,
    STAFF,
    ZHONG_YIFAN,
)
from tests.services.let_in import PASSWORD, has_account

EXEMPTION = {
    "person_id": str(LIANG_YUAN.id),
    "programme": "covid19",
    "kind": "temporary",
    "from_on": "2021-08-01",
    "until_on": "2021-10-31",
    "issuer": "省人民医院",
    "certificate": True,
    "reason": "药物过敏",
}


async def dose(gateway: GatewayDoor, given_on: str) -> dict[str, Any]:
    """A dose of Liang Yu'an is recorded."""
    wish: dict[str, Any] = {
        "person_id": str(LIANG_YUAN.id),
        "programme": "covid19",
        "given_on": given_on,
        "lot": "202104",
    }
    products = (await gateway.doors.personnel.get("/programmes", HEALTH)).json()["items"][0]["products"]
    wish["product"] = next(one["code"] for one in products if one["platform"] == "inactivated")
    answer = await gateway.doors.personnel.post("/doses", wish, HEALTH)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(("lang", "said"), [("zh-Hans", "差 1 剂"), ("en", "1 dose to go")])
async def test_the_first_sentence_says_what_is_due(gateway: GatewayDoor, lang: str, said: str) -> None:
    await dose(gateway, "2021-07-30")

    words = words_of(await (await gateway.browser(LIANG_YUAN, lang)).get("/"))

    assert said in words
    assert "202104" in words
    assert LIANG_YUAN.department.name in words


async def test_without_a_dose_the_page_says_so_and_what_to_do(gateway: GatewayDoor) -> None:
    words = words_of(await (await gateway.browser(LIANG_YUAN, "en")).get("/"))

    assert "No dose is on record" in words
    assert "Nobody but you so far" in words
    assert "What waits for you" not in words


async def test_an_exemption_is_shown_with_its_state(gateway: GatewayDoor) -> None:
    made = (await gateway.doors.personnel.post("/exemptions", EXEMPTION, HEALTH)).json()
    browser = await gateway.browser(LIANG_YUAN, "en")
    waiting = words_of(await browser.get("/"))
    await gateway.doors.personnel.post(f"/exemptions/{made['id']}/approval", {"verdict": "approved"}, SECOND_HEALTH)

    words = words_of(await browser.get("/"))

    assert "Waits for approval" in waiting
    assert "Exempt until 31 Oct" in words
    assert "药物过敏" in words  # it is their own


async def test_the_person_reads_who_looked_when_and_on_which_page(gateway: GatewayDoor) -> None:
    await (await gateway.browser(HE_RUONING)).get("/people")
    await gateway.doors.personnel.get(f"/people/{LIANG_YUAN.id}/health", HEALTH, headers={"muster-purpose": "/people/{person_id}"})
    await gateway.doors.pass_events()

    words = words_of(await (await gateway.browser(LIANG_YUAN, "en")).get("/"))

    assert "何若宁 4 Aug 07:40 your record · page of your record" in words


async def test_many_looks_are_paged(gateway: GatewayDoor) -> None:
    for _ in range(60):
        looked = RecordLooked(
            account_id=None,
            client_id=None,
            looker_id=HE_RUONING.id,
            looker_name="何若宁",
            what="list",
            person_ids=[LIANG_YUAN.id],
            people_count=50,
            filter={},
            purpose="/people",
            looked_at="2021-08-03T09:00:00+08:00",  # type: ignore[arg-type]  # pydantic reads it
        )
        await gateway.doors.identity.has(Look(**looked.model_dump()))
    browser = await gateway.browser(LIANG_YUAN, "en")

    home, second = await browser.get("/"), await browser.get("/me/looks", params={"page": 2})

    assert "See all 60 looks" in words_of(home)
    assert "51–60 of 60" in words_of(second)
    assert (await browser.get("/me/looks", params={"page": "x"})).status_code == 404


async def test_reading_ones_own_record_is_no_look_and_counting_for_others_is_none_either(gateway: GatewayDoor) -> None:
    await (await gateway.browser(LIANG_YUAN)).get("/")
    await (await gateway.browser(HE_RUONING)).get("/")
    await (await gateway.browser(SHEN_ZHIXING)).get("/")

    assert await gateway.doors.personnel.told(RecordLooked) == []


async def test_an_error_is_reported_answered_and_read(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN, "en")
    form = {"about": "dose", "text": "第二针是6月12日。\n不是6月21日。", "once": hidden(await browser.get("/"), "once")}

    sent = await browser.post("/me/remarks", data=form)
    await browser.post("/me/remarks", data=form)  # a double click
    remarks = (await gateway.doors.personnel.get("/remarks", HEALTH)).json()["items"]
    await gateway.doors.personnel.post(f"/remarks/{remarks[0]['id']}/answer", {"text": "已按接种证更正。"}, HEALTH)
    words = words_of(await browser.get("/"))

    assert (sent.status_code, sent.headers["location"]) == (303, "/?done=remark_sent")
    assert len(remarks) == 1
    assert "不是6月21日" in words
    assert "已按接种证更正" in words
    assert "何若宁 answered" in words


async def test_what_is_wrong_in_a_report_stands_beside_its_field_and_what_was_typed_stays(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN, "en")

    nothing = await browser.post("/me/remarks", data={})
    odd = await browser.post("/me/remarks", data={"about": "dose", "text": "a\x00b"})
    huge = await browser.post("/me/remarks", data={"about": "nonsense", "text": "长" * 3000})
    block = await browser.post("/me/remarks", data={"text": "kept"}, headers=partial("remarks"))

    assert nothing.status_code == odd.status_code == huge.status_code == block.status_code == 422
    assert 'id="f_text_error"' in nothing.text
    assert 'id="f_text_error"' in odd.text
    assert "at most 2,000 characters" in words_of(huge)
    assert "kept" in block.text
    assert "<html" not in block.text
    assert "open" in block.text


async def test_with_personnel_away_the_rest_of_the_page_is_right(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN, "en")
    await browser.get("/")
    gateway.down("personnel")

    shown = await browser.get("/")
    sent = await browser.post("/me/remarks", data={"about": "dose", "text": "typed before"})

    assert shown.status_code == 200
    assert "Your health record cannot be reached now" in words_of(shown)
    assert "Nobody but you so far" in words_of(shown)
    assert sent.status_code == 503
    assert "typed before" in sent.text


async def test_with_identity_away_the_record_is_still_there(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN, "en")
    await browser.get("/")
    gateway.down("identity")

    words = words_of(await browser.get("/"))

    assert "No dose is on record" in words
    assert "Who has looked cannot be reached now" in words


async def test_what_waits_is_shown_to_whoever_it_waits_for(gateway: GatewayDoor) -> None:
    await gateway.doors.personnel.post("/exemptions", EXEMPTION, HEALTH)
    await gateway.doors.personnel.post("/remarks", {"about": "dose", "text": "第二针的日期不对"}, STAFF)

    leader = words_of(await (await gateway.browser(FU_XINGJIAN, "en")).get("/"))
    health = words_of(await (await gateway.browser(LU_ZHIYAO, "en")).get("/"))
    head = words_of(await (await gateway.browser(SHEN_ZHIXING, "en")).get("/"))

    assert "1 Exemptions to approve" in leader
    assert "1 Remarks to answer" in health
    assert "11 People to urge" in health
    assert "4 People to urge" in head
    assert "Remarks to answer" not in head


async def test_nothing_that_waits_is_said_in_two_words(gateway: GatewayDoor) -> None:
    assert "What waits for you Nothing now." in words_of(await (await gateway.browser(FU_XINGJIAN, "en")).get("/"))


async def test_nobody_else_is_on_the_page_of_a_plain_person(gateway: GatewayDoor) -> None:
    words = words_of(await (await gateway.browser(PAN_XIANGYE)).get("/"))

    assert "潘向野" in words
    assert "梁予安" not in words


async def test_all_that_is_kept_comes_as_one_file(gateway: GatewayDoor) -> None:
    await dose(gateway, "2021-07-30")
    answer = await (await gateway.browser(LIANG_YUAN)).get("/me/copy")

    assert answer.headers["content-disposition"] == 'attachment; filename="muster-2021-08-04.json"'
    assert answer.headers["cache-control"] == "no-store"
    copy = json.loads(answer.content)
    assert copy["record"]["person"]["name"] == copy["account"]["name"] == "梁予安"
    assert copy["record"]["programmes"][0]["doses"][0]["given_on"] == "2021-07-30"


async def test_half_a_file_is_none(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN)
    await browser.get("/")
    gateway.down("personnel")

    assert (await browser.get("/me/copy")).status_code == 503


async def test_a_block_can_be_asked_for_alone(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN)
    for block in ("headline", "record", "looks", "remarks"):
        answer = await browser.get("/", headers=partial(block))

        assert answer.status_code == 200
        assert f'id="{block}"' in answer.text
        assert "<html" not in answer.text


async def test_what_waits_can_be_asked_for_alone(gateway: GatewayDoor) -> None:
    answer = await (await gateway.browser(LU_ZHIYAO, "en")).get("/", headers=partial("needs"))

    assert words_of(answer).startswith("What waits for you")


async def test_the_administrator_of_the_demo_sees_their_own_record_and_nobodys_else(gateway: GatewayDoor) -> None:
    words = words_of(await (await gateway.browser(ZHONG_YIFAN, "en")).get("/"))

    assert "No dose is on record" in words
    assert "What waits for you" not in words


def test_a_page_is_called_by_its_name() -> None:
    assert place_of("/people/{person_id}/doses") == "page of your record"
    assert place_of("/people") == "list of people"
    assert place_of("/coverage/urge/export") == "list of those to be urged"
    assert place_of("api") == "through the API"
    assert place_of("/nowhere") == "/nowhere"


async def test_signing_in_for_the_first_page_comes_back_to_it(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    browser = gateway.stranger()

    first = await browser.get("/")
    answer = await browser.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD, "next": "/"})

    assert first.headers["location"] == "/signin?next=/"
    assert (await browser.get(answer.headers["location"])).status_code == 200
