"""The first page: what is next and what waits, one's own record and what is due, who has looked, what one reports."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from gateway.home.looks import place_of
from services.dispatch.tables import Shift
from services.identity.tables import Look
from shared.clock import set_now
from shared.events import AssignmentsChanged, AssignmentState, RecordLooked, ShiftsChanged, ShiftState
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.people import (
    FU_XINGJIAN,
    GU_CHANGTING,
    HE_RUONING,
    HEALTH,
    LEADER,
    LIANG_YUAN,
    LU_ZHIYAO,
    PAN_XIANGYE,
    SECOND_HEALTH,
    SHEN_ZHIXING,
    STAFF,
    ZHONG_YIFAN,
    caller,
)
from tests.services.deployment import assignment, is_on, knows_everybody, planned, shifts_of
from tests.services.duties import people, published
from tests.services.let_in import PASSWORD, has_account
from tests.services.notified import tell

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
    assert place_of("/departments/{department_id}/edit") == "departments"
    assert place_of("/nowhere") == "another page", "an address is never shown to a person"


async def test_signing_in_for_the_first_page_comes_back_to_it(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    browser = gateway.stranger()

    first = await browser.get("/")
    answer = await browser.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD, "next": "/"})

    assert first.headers["location"] == "/signin?next=/"
    assert (await browser.get(answer.headers["location"])).status_code == 200


async def asked(gateway: GatewayDoor, state: str = "proposed", **changes: Any) -> tuple[Shift, UUID]:
    """Liang Yu'an is asked for the first shift of tomorrow, led by Gu Changting."""
    dispatch, told = gateway.doors.dispatch, gateway.doors.notifications
    await knows_everybody(dispatch)
    sites = [{"name": "东门采样点", "address": "广场南侧", "leader_id": str(GU_CHANGTING.id)}]
    operation = await planned(dispatch, **{"sites": sites, "from_on": "2021-08-05", "bring": "身份证、雨衣"} | changes)
    first, *_ = await shifts_of(dispatch, operation)
    row_id = await is_on(dispatch, first, LIANG_YUAN, state)
    await tell(told)
    place = {"operation_id": operation["id"], "operation_name": operation["name"], "site_id": first.site_id, "site_name": "东门采样点"}
    times = {"starts_at": first.starts_at, "ends_at": first.ends_at, "version": 1}
    led = ShiftState.model_validate({"id": first.id, "leader_id": GU_CHANGTING.id, "state": "open", **place, **times})
    on_it = {"id": row_id, "shift_id": first.id, "person_id": LIANG_YUAN.id, "role": "登记", "state": state, **times}
    await told.hears(ShiftsChanged(shifts=[led]))
    await told.hears(AssignmentsChanged(assignments=[AssignmentState.model_validate(on_it)]))
    return first, row_id


async def sent(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form of the page is sent, and what follows is read."""
    key = hidden(await browser.get("/"), "once")
    return await browser.post(path, data={"once": key, **fields}, follow_redirects=True)


@pytest.mark.parametrize(
    ("lang", "said"), [("zh-Hans", ["明天", "收到，我会到", "携带物品"]), ("en", ["tomorrow", "Received, I will be there"])]
)
async def test_what_is_next_comes_first_with_the_place_and_what_to_bring(gateway: GatewayDoor, lang: str, said: list[str]) -> None:
    await asked(gateway)

    answer = await (await gateway.browser(LIANG_YUAN, lang)).get("/")

    words = words_of(answer)
    assert f'href="tel:+86{GU_CHANGTING.phone}"' in answer.text
    for each in [*said, "08:00", "12:00", "东门采样点", "广场南侧", "身份证、雨衣", GU_CHANGTING.name]:
        assert each in words
    assert words.index("东门采样点") < words.index("新冠" if lang == "zh-Hans" else "COVID")


async def test_a_shift_past_midnight_says_next_day(gateway: GatewayDoor) -> None:
    await asked(gateway, pattern={"times": [["20:00", "04:00"]], "roles": [{"name": "登记", "head_count": 2}]})

    words = words_of(await (await gateway.browser(LIANG_YUAN, "en")).get("/"))

    assert "20:00 – 04:00 next day" in words


async def test_received_is_one_tap_and_cannot_come_says_why(gateway: GatewayDoor) -> None:
    _, row_id = await asked(gateway)
    browser = await gateway.browser(LIANG_YUAN, "en")

    received = await sent(browser, f"/me/assignments/{row_id}/answer", answer="received")
    without = await sent(browser, f"/me/assignments/{row_id}/answer", answer="decline")
    declined = await sent(browser, f"/me/assignments/{row_id}/answer", answer="decline", reason="Cannot get there")

    assert "Answered: you will be there" in words_of(received)
    assert "Received, I will be there" not in words_of(received)
    assert (without.status_code, "Say why" in words_of(without)) == (422, True)
    assert "No duty and no shift ahead" in words_of(declined)
    row = await assignment(gateway.doors.dispatch, row_id)
    assert (row.state, row.reason) == ("declined", "Cannot get there")


async def test_whoever_is_there_checks_out_on_the_first_page(gateway: GatewayDoor) -> None:
    first, row_id = await asked(gateway, "confirmed")
    set_now(first.starts_at + timedelta(hours=2))
    await gateway.doors.dispatch.post(f"/assignments/{row_id}/checkin", {}, caller(GU_CHANGTING))
    browser = await gateway.browser(LIANG_YUAN, "en")

    before = words_of(await browser.get("/"))
    went = await sent(browser, f"/me/assignments/{row_id}/checkout")

    assert "Checked in at" in before
    assert "Checked out; thank you" in words_of(went)
    assert (await assignment(gateway.doors.dispatch, row_id)).state == "checked_out"


@pytest.mark.parametrize(
    ("down", "missing", "there"),
    [
        ("dispatch", "Your shifts cannot be reached now", "Hello"),
        ("duty", "Your duties cannot be reached now", "东门采样点"),
        ("notifications", "Your notices cannot be reached now", "leads; the number cannot be reached now"),
        ("personnel", "Your health record cannot be reached now", "东门采样点"),
    ],
)
async def test_one_service_that_is_away_leaves_the_rest_right(gateway: GatewayDoor, down: str, missing: str, there: str) -> None:
    await asked(gateway)
    browser = await gateway.browser(LIANG_YUAN, "en")
    gateway.down(down)

    answer = await browser.get("/")

    words = words_of(answer)
    assert answer.status_code == 200
    assert missing in words
    assert there in words


async def test_with_identity_away_what_is_next_is_there_and_a_band_says_so(gateway: GatewayDoor) -> None:
    await asked(gateway)
    browser = await gateway.browser(LIANG_YUAN, "en")
    await browser.get("/")
    gateway.down("identity")
    for known in gateway.app.state.sessions.known.values():
        known.asked_at = float("-inf")

    words = words_of(await browser.get("/"))

    assert "Signing in cannot be reached now" in words
    assert "东门采样点" in words


async def test_the_shifts_one_leads_lead_to_who_is_there(gateway: GatewayDoor) -> None:
    first, _ = await asked(gateway, "confirmed")

    answer = await (await gateway.browser(GU_CHANGTING, "en")).get("/")

    assert "Shifts you lead" in words_of(answer)
    assert f'href="/attendance/{first.id}"' in answer.text


async def test_a_notice_is_read_in_one_tap_on_the_first_page(gateway: GatewayDoor) -> None:
    told = gateway.doors.notifications
    await tell(told)
    wish = {"kind": "order", "title": "暂停离市休假", "text": "在外人员 8 月 8 日前返回。", "audience": {"kind": "everyone"}}
    issued = await told.post("/notices", {**wish, "deadline_at": "2021-08-04T10:00:00+08:00"}, LEADER)
    assert issued.status_code == 201, issued.text
    browser = await gateway.browser(LIANG_YUAN, "en")

    before = words_of(await browser.get("/"))
    read = await sent(browser, f"/me/notices/{issued.json()['id']}/acknowledgement")

    assert "Today: 1 notice to answer" in before
    assert "暂停离市休假" in before
    assert "Answered: received and read" in words_of(read)
    assert "暂停离市休假" not in words_of(read)


async def test_the_record_is_private_to_the_page_and_not_kept_on_the_phone(gateway: GatewayDoor) -> None:
    await dose(gateway, "2021-07-30")
    await asked(gateway)

    text = (await (await gateway.browser(LIANG_YUAN, "en")).get("/")).text

    kept = re.sub(r"<!--private-->.*?<!--/private-->", "", text, flags=re.DOTALL)
    assert "202104" in text
    assert "东门采样点" in kept
    assert "data-away hidden" in kept
    for never in ("202104", "dose to go", LIANG_YUAN.born_on.strftime("%Y"), "Who has looked"):
        assert never not in words_of(httpx.Response(200, text=kept))


async def test_a_duty_says_whom_to_tell_when_one_cannot_come(gateway: GatewayDoor) -> None:
    await people(gateway.doors.duty)
    await published(gateway.doors.duty)

    browser = await gateway.browser(LIANG_YUAN, "en")
    words, ahead = words_of(await browser.get("/")), words_of(await browser.get("/myshifts"))

    assert "Next duty" in words
    assert "Tell the duty planner at once, or whoever is on duty now" in ahead
    assert "I cannot come: whom to tell Tell the duty planner at once, or whoever is on duty now" in words
