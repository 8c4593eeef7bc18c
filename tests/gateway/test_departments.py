"""Departments: who answers for which, changed by two at once, and who may not."""

from tests.gateway.door import GatewayDoor, words_of
from tests.gateway.forms import fields_of
from tests.people import FU_XINGJIAN, HE_RUONING, HEALTH, JIANG_CAIWEI, LIANG_YUAN, LU_ZHIYAO, PAN_XIANGYE, TEACHING, ZHONG_YIFAN

EDIT = f"/departments/{TEACHING.id}/edit"


async def test_the_list_says_who_answers_for_which(gateway: GatewayDoor) -> None:
    shown = words_of(await (await gateway.browser(HE_RUONING)).get("/departments"))

    assert "4 个处室，11 人" in shown
    assert "沈知行" in shown
    assert "还没有" in shown  # a department without a head


async def test_a_department_is_added_and_a_taken_name_says_so(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    taken = await browser.post("/departments/new", data={"name": "教务处"})
    nameless = await browser.post("/departments/new", data={})
    answer = await browser.post("/departments/new", data={"name": "图书馆", "parent_id": str(TEACHING.id)})
    next_step = await browser.get(answer.headers["location"])

    assert (taken.status_code, nameless.status_code, answer.status_code) == (409, 422, 303)
    assert 'value="教务处"' in taken.text
    assert "处室已添加" in words_of(next_step)
    assert "归教务处" in words_of(await browser.get("/departments"))


async def test_somebody_of_the_department_is_picked_without_searching(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    form = fields_of(await browser.get(EDIT))

    answer = await browser.post(EDIT, data={**form, "reporter_id": str(JIANG_CAIWEI.id)})

    assert answer.headers["location"] == "/departments?done=saved"
    assert "江采薇" in words_of(await browser.get("/departments"))


async def test_somebody_of_another_department_is_found_and_nothing_is_saved_meanwhile(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    form = fields_of(await browser.get(EDIT))

    found = await browser.post(EDIT, data={**form, "name": "教学处", "q": "panxiangye", "find": "1"})
    picked = fields_of(found)
    answer = await browser.post(EDIT, data={**picked, "deputy_id": str(PAN_XIANGYE.id), "q": ""})

    assert found.status_code == 200
    assert "找到 1 人" in words_of(found)
    assert picked["name"] == "教学处"
    assert str(PAN_XIANGYE.id) in found.text
    assert answer.status_code == 303
    shown = words_of(await browser.get("/departments"))
    assert "教学处" in shown
    assert "潘向野" in shown


async def test_nobody_puts_themselves_at_the_head(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    form = fields_of(await browser.get(EDIT))

    answer = await browser.post(EDIT, data={**form, "head_id": str(HE_RUONING.id)})

    assert answer.status_code == 409
    assert "谁都不能改自己的角色" in words_of(answer)
    assert fields_of(answer)["head_id"] == str(HE_RUONING.id)


async def test_two_at_one_department_the_second_decides(gateway: GatewayDoor) -> None:
    mine, theirs = await gateway.browser(HE_RUONING), await gateway.browser(LU_ZHIYAO)
    form = fields_of(await mine.get(EDIT))
    await theirs.post(EDIT, data={**form, "head_id": str(LIANG_YUAN.id)})

    stale = await mine.post(EDIT, data={**form, "head_id": str(JIANG_CAIWEI.id), "name": "教学处"})
    answer = await mine.post(EDIT, data={**fields_of(stale), "take_head_id": "mine"})
    found = (await gateway.doors.personnel.get("/departments", HEALTH)).json()["items"]
    teaching = next(one for one in found if one["id"] == str(TEACHING.id))

    assert stale.status_code == 409
    said = words_of(stale)
    assert all(name in said for name in ("沈知行", "梁予安", "江采薇", "其间别人改了什么"))
    assert answer.status_code == 303
    assert (teaching["name"], teaching["head"]["name"]) == ("教学处", "江采薇")


async def test_the_administrator_names_a_department_and_leaves_who_answers_for_it(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)
    page = await browser.get(EDIT)

    answer = await browser.post(EDIT, data={**fields_of(page), "name": "教学处"})

    assert "由健康档案员填写" in words_of(page)
    assert answer.status_code == 303
    assert "沈知行" in words_of(await browser.get("/departments"))


async def test_a_leader_reads_and_staff_is_told_that_it_is_not_theirs(gateway: GatewayDoor) -> None:
    leader, staff = await gateway.browser(FU_XINGJIAN), await gateway.browser(LIANG_YUAN)

    assert "添加处室" not in words_of(await leader.get("/departments"))
    assert (await leader.get(EDIT)).status_code == 403
    assert (await leader.post(EDIT, data={"name": "x"})).status_code == 403
    assert (await staff.get("/departments")).status_code == 403


async def test_an_unknown_department_and_a_missing_service_are_said(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    unknown = await browser.get(f"/departments/{JIANG_CAIWEI.id}/edit")
    english = words_of(await browser.get("/departments"))
    gateway.down("personnel")

    assert unknown.status_code == 404
    assert "4 departments, 11 people" in english
    assert (await browser.get("/departments")).status_code == 503
