"""The HR desk's people: found, read, recorded, corrected; two at one record; who may not."""

import re
from io import BytesIO
from typing import Any

import httpx
from openpyxl import load_workbook

from gateway.people.page import FIELDS
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.gateway.forms import fields_of
from tests.people import (
    FU_XINGJIAN,
    GU_CHANGTING,
    HE_RUONING,
    HEALTH,
    JIANG_CAIWEI,
    LIANG_YUAN,
    LU_ZHIYAO,
    PAN_XIANGYE,
    SHEN_ZHIXING,
    TEACHING,
    ZHONG_YIFAN,
)

JIANG = f"/people/{JIANG_CAIWEI.id}"
A_DOSE = {"product": "bbibp-corv", "given_on": "2021-07-01", "lot": "202106B0417", "source": "own_record"}


async def product_of(browser: httpx.AsyncClient) -> str:
    """A vaccine of two doses, as the form offers it."""
    found = re.search(r'<option value="([^"]+)">[^<]*北京[^<]*</option>', (await browser.get(JIANG)).text)
    assert found
    return found[1]


async def record(gateway: GatewayDoor, given_on: str, product: str = "北京生物") -> dict[str, Any]:
    """A dose that is on record already."""
    wish = {"person_id": str(JIANG_CAIWEI.id), "product": product, "given_on": given_on, "lot": "0417"}
    answer = await gateway.doors.personnel.post("/doses", wish, HEALTH)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["dose"])


async def test_hr_finds_people_by_pinyin_and_sees_how_they_stand(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    found = words_of(await browser.get("/people", params={"q": "jiangcaiwei"}))

    assert "符合筛选 1 人： 1 情况不明" in found
    assert "江采薇" in found
    assert "没有记录，也没有证明" in found
    assert "潘向野" not in found


async def test_the_list_is_filtered_and_nobody_found_says_how_to_look(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    department = words_of(await browser.get("/people", params={"department_id": str(TEACHING.id), "employment": "permanent"}))
    nobody = words_of(await browser.get("/people", params={"q": "nobody"}))
    mangled = await browser.get("/people", params={"standing": "healthy"})

    assert "江采薇" in department
    assert "潘向野" not in department
    assert "没有符合的人" in nobody
    assert mangled.status_code == 422


async def test_the_record_stands_beside_the_list_and_comes_alone_as_a_block(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    beside = await browser.get("/people", params={"person": str(JIANG_CAIWEI.id)})
    block = await browser.get("/people", params={"person": str(JIANG_CAIWEI.id)}, headers=partial("record"))
    alone = await browser.get(JIANG)

    assert 'id="record"' in beside.text
    assert 'class="chosen"' in beside.text
    assert block.text.lstrip().startswith("<section")
    assert "潘向野" not in words_of(block)
    for answer in (beside, block, alone):
        assert "江采薇本人可以看到" in words_of(answer)


async def test_a_recorded_dose_changes_the_sentence_on_top(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    before = words_of(await browser.get(JIANG))

    form = {**A_DOSE, "product": await product_of(browser), "once": "one"}
    answer = await browser.post(f"{JIANG}/doses", data=form)
    after = words_of(await browser.get(answer.headers["location"]))
    again = await browser.post(f"{JIANG}/doses", data=form)

    assert "没有记录，也没有证明" in before
    assert (answer.status_code, answer.headers["location"]) == (303, f"{JIANG}?done=dose_recorded")
    assert "差 1 剂" in after
    assert "第 1 剂" in after
    assert "批号 202106B0417" in after
    assert again.status_code == 303  # the same form sent twice is one dose
    assert words_of(await browser.get(JIANG)).count("202106B0417") == 1


async def test_a_wrong_dose_says_so_beside_the_field_and_keeps_what_was_typed(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    form = {**A_DOSE, "product": await product_of(browser), "given_on": "2021-08-05"}
    answer = await browser.post(f"{JIANG}/doses", data=form, headers=partial("record"))

    assert answer.status_code == 422
    assert 'value="2021-08-05" required aria-invalid="true"' in answer.text
    assert "这个时间还没到" in words_of(answer)
    assert 'value="202106B0417"' in answer.text
    assert '<details class="ask" open>' in answer.text


async def test_a_dose_too_early_is_kept_and_says_why_it_does_not_count(gateway: GatewayDoor) -> None:
    for given_on in ("2021-07-01", "2021-07-05"):
        await record(gateway, given_on)

    shown = words_of(await (await gateway.browser(HE_RUONING)).get(JIANG))

    assert "不计入的一剂" in shown
    assert "离上一剂太近" in shown
    assert "再补打一剂就行" in shown


async def test_a_correction_needs_its_reason_and_leaves_the_old_entry_readable(gateway: GatewayDoor) -> None:
    dose = await record(gateway, "2021-07-01")
    browser = await gateway.browser(HE_RUONING)
    address = f"{JIANG}/doses/{dose['id']}"
    form = await browser.get(address)
    sent = {f"was_{name}": hidden(form, f"was_{name}") for name in ("product", "given_on", "lot")}
    sent |= {"product": sent["was_product"], "given_on": "2021-06-21", "lot": "0417", "once": hidden(form, "once")}

    bare = await browser.post(address, data=sent)
    same = await browser.post(address, data={**sent, "given_on": sent["was_given_on"], "note": "已核对", "once": "one"})
    answer = await browser.post(address, data={**sent, "note": "按接种证更正日期", "once": "two"})
    after = words_of(await browser.get(JIANG))

    assert bare.status_code == 422
    assert 'value="2021-06-21"' in bare.text
    assert "除了备注什么都没改" in words_of(same)
    assert answer.headers["location"] == f"{JIANG}?done=dose_corrected"
    assert "6 月 21 日" in after
    assert "更正过 1 次·看原记录 7 月 1 日" in after
    assert "按接种证更正日期" in after


async def test_whoever_corrects_a_corrected_entry_is_led_to_the_newer_one(gateway: GatewayDoor) -> None:
    dose = await record(gateway, "2021-07-01")
    right = await gateway.doors.personnel.post(f"/doses/{dose['id']}/corrections", {"given_on": "2021-07-02", "note": "x"}, HEALTH)
    browser = await gateway.browser(HE_RUONING)

    answer = await browser.post(f"{JIANG}/doses/{dose['id']}", data={"note": "y", "lot": "0500"})

    assert answer.status_code == 409
    assert "这一条已经更正过" in words_of(answer)
    assert f"{JIANG}/doses/{right.json()['dose']['id']}" in answer.text


async def test_a_dose_that_was_never_given_is_taken_back(gateway: GatewayDoor) -> None:
    dose = await record(gateway, "2021-07-01")
    browser = await gateway.browser(HE_RUONING)

    await browser.post(f"{JIANG}/doses/{dose['id']}", data={"withdrawn": "on", "note": "录错了人", "given_on": "2021-07-01"})
    after = words_of(await browser.get(JIANG))

    assert "已撤回" in after
    assert "录错了人" in after


async def test_an_exemption_waits_and_its_mistakes_stand_beside_the_field(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    wish = {"kind": "temporary", "from_on": "2021-08-01", "issuer": "市第二医院", "reason": "感冒发热", "certificate": "on"}

    endless = await browser.post(f"{JIANG}/exemptions", data=wish)
    answer = await browser.post(f"{JIANG}/exemptions", data={**wish, "until_on": "2021-10-31"})
    after = words_of(await browser.get(answer.headers["location"]))

    assert endless.status_code == 422
    assert 'value="市第二医院"' in endless.text
    assert "待批准" in after
    assert "感冒发热" in after
    assert "没有记录，也没有证明" in after  # it counts only once somebody approved it


async def test_what_a_person_said_is_recorded(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    wrong = await browser.post(f"{JIANG}/statements", data={"on": "2021-08-04"})
    await browser.post(f"{JIANG}/statements", data={"kind": "declined", "on": "2021-08-04", "note": "有顾虑"})
    after = words_of(await browser.get(JIANG))

    assert wrong.status_code == 422
    assert "本人不愿接种" in after
    assert "有顾虑" in after


async def test_somebody_is_added_and_a_taken_number_says_so(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    wish = {"number": "20210801", "name": "林晚舟", "department_id": str(TEACHING.id), "employment": "agency"}

    taken = await browser.post("/people/new", data={**wish, "number": JIANG_CAIWEI.number})
    answer = await browser.post("/people/new", data=wish)
    shown = await browser.get(answer.headers["location"])

    assert taken.status_code == 409
    assert 'value="林晚舟"' in taken.text
    assert "林晚舟" in words_of(shown)
    assert (await browser.post("/people/new", data={})).status_code == 422


async def test_an_address_is_typed_held_to_its_form_and_shown(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    wish = {"number": "20210802", "name": "苏木", "department_id": str(TEACHING.id), "employment": "agency"}

    wrong = await browser.post("/people/new", data={**wish, "email": "su.mu"})
    answer = await browser.post("/people/new", data={**wish, "email": "su.mu@Mail.Example.Org"})

    assert (wrong.status_code, "“su.mu”不是邮箱地址。" in words_of(wrong)) == (422, True)
    assert "su.mu@mail.example.org" in words_of(await browser.get(answer.headers["location"]))


async def test_the_form_has_a_place_for_every_field_that_is_saved(gateway: GatewayDoor) -> None:
    """What the form does not send would be emptied by the next save."""
    browser = await gateway.browser(HE_RUONING)

    form = fields_of(await browser.get(f"{JIANG}/edit"))

    assert [name for name in FIELDS if name not in form] == []


async def test_two_at_one_record_the_second_sees_what_changed_and_decides(gateway: GatewayDoor) -> None:
    mine, theirs = await gateway.browser(HE_RUONING), await gateway.browser(LU_ZHIYAO)
    form = fields_of(await mine.get(f"{JIANG}/edit"))
    other = fields_of(await theirs.get(f"{JIANG}/edit"))
    await theirs.post(f"{JIANG}/edit", data={**other, "name": "江采微", "joined_on": "2012-03-05"})

    stale = await mine.post(f"{JIANG}/edit", data={**form, "name": "江彩薇", "employment": "contract"})
    kept = fields_of(stale)
    answer = await mine.post(f"{JIANG}/edit", data={**kept, "take_name": "theirs"})
    person = (await gateway.doors.personnel.get(JIANG, HEALTH)).json()

    assert stale.status_code == 409
    said = words_of(stale)
    assert "其间别人改了什么" in said
    assert all(name in said for name in ("江采薇", "江采微", "江彩薇"))
    assert kept["joined_on"] == "2012-03-05"  # what only the other changed is taken over
    assert kept["employment"] == "contract"  # what only I changed is kept
    assert answer.headers["location"] == f"{JIANG}?done=saved"
    assert (person["name"], person["employment"], person["joined_on"]) == ("江采微", "contract", "2012-03-05")


async def test_whoever_has_left_is_found_only_when_asked_for(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    form = fields_of(await browser.get(f"{JIANG}/edit"))

    answer = await browser.post(f"{JIANG}/edit", data={**form, "left_on": "2021-08-01"})

    assert answer.status_code == 303
    assert "江采薇" not in words_of(await browser.get("/people"))
    assert "8 月 1 日离开" in words_of(await browser.get("/people", params={"left": "true"}))


async def test_a_leader_and_a_head_see_people_without_their_health(gateway: GatewayDoor) -> None:
    await record(gateway, "2021-07-01")
    leader, head = await gateway.browser(FU_XINGJIAN), await gateway.browser(SHEN_ZHIXING)

    for browser in (leader, head):
        listed, shown = await browser.get("/people"), await browser.get(JIANG)
        assert (listed.status_code, shown.status_code) == (200, 200)
        assert "江采薇" in words_of(listed)
        for answer in (listed, shown):
            assert "接种" not in words_of(answer).replace("接种覆盖", "")
            assert JIANG_CAIWEI.phone not in answer.text
        assert "补录一剂" not in words_of(shown)
    assert "潘向野" in words_of(await leader.get("/people"))
    assert "潘向野" not in words_of(await head.get("/people"))
    assert (await head.get(f"/people/{PAN_XIANGYE.id}")).status_code == 404


async def test_staff_and_the_administrator_are_told_that_it_is_not_theirs(gateway: GatewayDoor) -> None:
    staff, administrator = await gateway.browser(LIANG_YUAN), await gateway.browser(ZHONG_YIFAN)

    for address in ("/people", JIANG, f"{JIANG}/edit", "/people/new", f"/people/{LIANG_YUAN.id}"):
        assert (await staff.get(address)).status_code == 403
    assert (await staff.post(f"{JIANG}/doses", data=A_DOSE)).status_code == 403
    assert (await administrator.get("/people")).status_code == 403
    assert (await administrator.get(JIANG)).status_code == 403


async def test_a_head_may_not_write(gateway: GatewayDoor) -> None:
    head = await gateway.browser(SHEN_ZHIXING)

    for address in (f"{JIANG}/doses", f"{JIANG}/exemptions", f"{JIANG}/statements", f"{JIANG}/edit", "/people/new"):
        assert (await head.post(address, data={"name": "x"})).status_code == 403


async def test_a_service_that_is_away_gives_a_page_with_a_way_out(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    await browser.get("/people")
    gateway.down("personnel")

    listed, saved = await browser.get("/people"), await browser.post(f"{JIANG}/doses", data=A_DOSE)

    assert (listed.status_code, saved.status_code) == (503, 503)
    assert "何若宁" in words_of(listed)


async def test_the_pages_are_english_too(gateway: GatewayDoor) -> None:
    await record(gateway, "2021-07-01")
    browser = await gateway.browser(HE_RUONING, "en")

    shown, listed = words_of(await browser.get(JIANG)), words_of(await browser.get("/people"))

    assert "1 dose to go" in shown
    assert "This look is on record" in shown
    assert "11 people" in listed
    assert (await browser.get(f"/people/{GU_CHANGTING.id}/edit")).status_code == 200


async def test_a_long_list_has_pages_that_keep_the_question(gateway: GatewayDoor) -> None:
    for count in range(52):
        wish = {"number": f"T{count:03}", "name": "林晚舟", "department_id": str(TEACHING.id), "employment": "trainee"}
        assert (await gateway.doors.personnel.post("/people", wish, HEALTH)).status_code == 201
    browser = await gateway.browser(HE_RUONING)

    first = await browser.get("/people", params={"q": "林晚舟", "sort": "number"})
    following = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert following
    second = words_of(await browser.get(following[1].replace("&amp;", "&")))

    assert "符合筛选 52 人" in second
    assert "第 51–52 条，共 52 条" in second
    assert "T051" in second
    assert "T001" not in second


async def test_odd_input_is_refused_in_words_and_never_breaks_a_page(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    answers = [
        await browser.get("/people", params={"q": "a\x00b"}),
        await browser.get("/people", params={"q": "\ud83d".encode("utf-8", "surrogatepass").decode("utf-8", "replace")}),
        await browser.get("/people", params={"q": "长" * 500}),
        await browser.get("/people", params={"department_id": "x", "page": "2"}),
        await browser.get("/people", params={"page": "0"}),
        await browser.get("/people", params={"page": "99999999999"}),
        await browser.get("/people", params={"person": "me"}),
        await browser.get("/people/%00"),
        await browser.post(f"{JIANG}/doses", data={"product": "\x00", "given_on": "9999-99-99", "lot": "x" * 5000}),
        await browser.post(f"{JIANG}/doses", data={"product": ["a", "b"], "given_on": ["2021-01-01", "2021-01-02"]}),
        await browser.post(f"{JIANG}/edit", data={"version": "9" * 5000, "name": "=1+1"}),
        await browser.post(f"{JIANG}/edit", data={}),
        await browser.post(f"/people/{TEACHING.id}/edit", data={"version": "1"}),
        await browser.post(f"/departments/{TEACHING.id}/edit", data={"head_id": "?page=1", "find": "1"}),
        await browser.post(f"/departments/{TEACHING.id}/edit", data={"version": "x", "name": "长" * 300}),
        await browser.post(f"/exemptions/{TEACHING.id}", data={"verdict": "approved"}),
        await browser.post(f"/remarks/{TEACHING.id}", data={"text": "x"}),
        await browser.get("/coverage", params={"on": "9999-12-31"}),
        await browser.get("/coverage/urge", params={"department_id": "x"}),
        await browser.get("/coverage/export", params={"on": "x"}),
    ]

    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert all("何若宁" in words_of(answer) for answer in answers)


async def test_a_form_that_was_refused_is_sent_again_with_its_key(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    form = {**A_DOSE, "product": await product_of(browser), "once": "the-same-form"}

    refused = await browser.post(f"{JIANG}/doses", data={**form, "given_on": "2021-08-05"})
    answer = await browser.post(f"{JIANG}/doses", data={**form, "once": hidden(refused, "once")})

    assert refused.status_code == 422
    assert answer.status_code == 303


async def test_every_live_block_comes_alone(gateway: GatewayDoor) -> None:
    await record(gateway, "2021-07-01")
    browser = await gateway.browser(HE_RUONING)

    for address, block in (
        ("/people", "people"),
        (JIANG, "health"),
        ("/departments", "departments"),
        ("/coverage", "figures"),
        ("/coverage/urge", "urged"),
        ("/exemptions", "exemptions"),
        ("/remarks", "remarks"),
    ):
        answer = await browser.get(address, headers=partial(block))
        assert answer.status_code == 200
        assert re.match(rf'<(section|div)[^>]* id="{block}"', answer.text.lstrip()), address


async def test_only_who_sees_all_departments_may_choose_one(gateway: GatewayDoor) -> None:
    everybody = (await (await gateway.browser(HE_RUONING)).get("/people")).text
    own = (await (await gateway.browser(SHEN_ZHIXING)).get("/people")).text

    assert 'name="department_id"' in everybody
    assert 'name="employment"' in own
    assert 'name="department_id"' not in own


async def test_the_list_leaves_as_a_workbook_with_the_filters_of_the_page(gateway: GatewayDoor) -> None:
    hr, head, staff = [await gateway.browser(one) for one in (HE_RUONING, SHEN_ZHIXING, LIANG_YUAN)]
    query = {"employment": "permanent", "sort": "number", "page": "1"}

    page = await hr.get("/people", params=query)
    link = re.search(r'href="(/people/export[^"]*)"', page.text)
    assert link
    answer = await hr.get(link[1].replace("&amp;", "&"))
    rows = [list(row) for row in load_workbook(BytesIO(answer.content)).worksheets[0].values]
    to_head = await head.get("/people/export")
    nobody = await hr.get("/people", params={"q": "nobody"})

    assert "page=" not in link[1]
    assert answer.headers["content-disposition"].startswith("attachment")
    assert {row[3] for row in rows[5:]} == {"在编"}
    assert [row[0] for row in rows[5:]] == sorted(str(row[0]) for row in rows[5:])
    assert "接种情况" in rows[4]
    cells = [cell for row in load_workbook(BytesIO(to_head.content)).worksheets[0].values for cell in row]
    assert "方既白" in cells
    assert "接种情况" not in cells
    assert "/people/export" not in nobody.text
    assert (await staff.get("/people/export")).status_code == 403
