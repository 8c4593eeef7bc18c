"""Exemptions: decided by a second person, without the reason for a leader, never by whoever recorded it or whom it is for."""

from typing import Any

from tests.gateway.door import GatewayDoor, words_of
from tests.people import FU_XINGJIAN, HE_RUONING, HEALTH, JIANG_CAIWEI, LIANG_YUAN, LU_ZHIYAO, SHEN_ZHIXING, Person


async def record(gateway: GatewayDoor, person: Person = JIANG_CAIWEI) -> dict[str, Any]:
    """An exemption that 何若宁 recorded."""
    wish = {"person_id": str(person.id), "kind": "temporary", "from_on": "2021-08-01", "until_on": "2021-10-31"}
    answer = await gateway.doors.personnel.post(
        "/exemptions", {**wish, "issuer": "省人民医院", "certificate": True, "reason": "药物过敏"}, HEALTH
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_nothing_to_decide_says_so(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LU_ZHIYAO)

    assert "没有待决定的" in words_of(await browser.get("/exemptions"))
    assert (await browser.get("/exemptions", params={"state": "odd"})).status_code == 404


async def test_a_second_person_approves_and_the_standing_changes(gateway: GatewayDoor) -> None:
    exemption = await record(gateway)
    browser = await gateway.browser(LU_ZHIYAO)
    address = f"/exemptions/{exemption['id']}"

    listed = await browser.get("/exemptions")
    question = await browser.get("/exemptions", params={"decide": exemption["id"]})
    answer = await browser.post(address, data={"verdict": "approved", "note": "证明齐全"})
    decided = words_of(await browser.get("/exemptions", params={"state": "approved"}))

    assert "药物过敏" in words_of(listed)
    assert '<dialog class="dialog"' in listed.text
    assert '<dialog class="dialog shown"' in question.text
    assert answer.headers["location"] == "/exemptions?done=exemption_approved"
    assert "证明齐全" in decided
    assert "暂缓到 10 月 31 日" in words_of(await browser.get(f"/people/{JIANG_CAIWEI.id}"))


async def test_each_view_says_how_many_there_are_and_a_question_is_asked_from_any_of_them(gateway: GatewayDoor) -> None:
    first, second, _ = [await record(gateway) for _ in range(3)]
    browser = await gateway.browser(LU_ZHIYAO)
    await browser.post(f"/exemptions/{first['id']}", data={"verdict": "approved"})

    refused = await browser.get("/exemptions", params={"state": "refused", "decide": second["id"]})
    decided = await browser.get("/exemptions", params={"state": "refused", "decide": first["id"]})

    assert "待决定 2 已批准 1 未批准 0" in words_of(refused)
    assert '<dialog class="dialog shown"' in refused.text
    assert '<dialog class="dialog shown"' not in decided.text


async def test_a_leader_refuses_without_seeing_the_reason(gateway: GatewayDoor) -> None:
    exemption = await record(gateway)
    browser = await gateway.browser(FU_XINGJIAN)

    listed = words_of(await browser.get("/exemptions"))
    answer = await browser.post(f"/exemptions/{exemption['id']}", data={"verdict": "refused"})

    assert "省人民医院" in listed
    assert "药物过敏" not in listed
    assert answer.headers["location"] == "/exemptions?done=exemption_refused"
    assert "江采薇" in words_of(await browser.get("/exemptions", params={"state": "refused"}))


async def test_what_was_decided_meanwhile_is_said_and_the_list_is_new(gateway: GatewayDoor) -> None:
    exemption = await record(gateway)
    first, second = await gateway.browser(LU_ZHIYAO), await gateway.browser(FU_XINGJIAN)
    await first.post(f"/exemptions/{exemption['id']}", data={"verdict": "approved"})

    late = await second.post(f"/exemptions/{exemption['id']}", data={"verdict": "refused"})
    undecided = await second.post(f"/exemptions/{exemption['id']}", data={})

    assert (late.status_code, undecided.status_code) == (409, 422)
    assert "已经有人决定了" in words_of(late)


async def test_one_s_own_exemption_says_why_one_cannot_decide(gateway: GatewayDoor) -> None:
    exemption = await record(gateway, LU_ZHIYAO)
    browser = await gateway.browser(LU_ZHIYAO)

    listed = words_of(await browser.get("/exemptions"))
    answer = await browser.post(f"/exemptions/{exemption['id']}", data={"verdict": "approved"})

    assert "这是你自己的，要由别人决定" in listed
    assert answer.status_code == 409


async def test_whoever_recorded_it_is_told_that_a_second_person_decides(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    wish = {"kind": "permanent", "from_on": "2021-08-01", "issuer": "省人民医院", "reason": "药物过敏"}
    await browser.post(f"/people/{JIANG_CAIWEI.id}/exemptions", data=wish)

    assert "你登记的，要由另一个人决定" in words_of(await browser.get("/exemptions"))


async def test_others_are_told_that_it_is_not_theirs_and_a_missing_service_is_said(gateway: GatewayDoor) -> None:
    await record(gateway)
    english = await gateway.browser(LU_ZHIYAO, "en")

    for person in (LIANG_YUAN, SHEN_ZHIXING):
        assert (await (await gateway.browser(person)).get("/exemptions")).status_code == 403
    assert "To decide" in words_of(await english.get("/exemptions"))
    gateway.down("personnel")
    assert (await english.get("/exemptions")).status_code == 503
