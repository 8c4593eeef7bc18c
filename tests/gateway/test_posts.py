"""Posts: added, changed, retired by whoever plans, read by everybody; what is refused keeps what was typed."""

from tests.gateway.door import GatewayDoor, hidden, words_of
from tests.gateway.duties import leader, officer, planner
from tests.people import JIANG_CAIWEI, LIANG_YUAN, TEACHING
from tests.services.duties import PLANNER

GATE = {"name": "门岗", "starts_at_time": "20:00", "hours": "12", "head_count": "2", "place_in_list": "1"}


async def test_an_empty_list_says_what_a_post_is_and_offers_to_add_one(gateway: GatewayDoor) -> None:
    browser, staff = await planner(gateway), await gateway.browser(LIANG_YUAN)

    assert 'href="/posts/new"' in (await browser.get("/posts")).text
    answer = await staff.get("/posts")
    assert "还没有岗位" in words_of(answer)
    assert 'href="/posts/new"' not in answer.text
    assert (await staff.get("/posts/new")).status_code == 403


async def test_a_post_is_added_with_its_pool_and_everybody_reads_it(gateway: GatewayDoor) -> None:
    browser = await leader(gateway)

    found = await browser.post("/posts/new", data={**GATE, "q": "liangyu", "find": "1"})
    answer = await browser.post(
        "/posts/new", data={**GATE, "gives_rights": "on", "pool_departments": str(TEACHING.id), "pool_people": str(LIANG_YUAN.id)}
    )

    assert f'value="{LIANG_YUAN.id}"' in found.text
    assert 'value="门岗"' in found.text
    assert answer.headers["location"] == "/posts?done=post_added"
    words = words_of(await (await gateway.browser(LIANG_YUAN)).get("/posts"))
    assert "20:00– 次日 08:00" in words
    assert "教务处" in words
    assert "指定 1 人" in words
    [kept] = (await gateway.doors.duty.get("/posts", PLANNER)).json()["items"]
    assert (kept["gives_rights"], kept["pool_people"]) == (True, [str(LIANG_YUAN.id)])


async def test_what_is_wrong_stands_beside_its_field(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)

    answer = await browser.post("/posts/new", data={**GATE, "hours": "25", "counted_hours": "x"})

    assert answer.status_code == 422
    assert 'id="f_hours_error"' in answer.text
    assert 'id="f_counted_hours_error"' in answer.text
    assert 'value="门岗"' in answer.text


async def test_a_post_is_changed_and_an_empty_field_is_the_institution_s_own_again(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)

    shown = await browser.get(f"/posts/{post_id}")
    answer = await browser.post(
        f"/posts/{post_id}",
        data={"name": "总值班", "starts_at_time": "08:30", "hours": "24", "head_count": "1", "place_in_list": "2"}
        | {"gives_rights": hidden(shown, "gives_rights"), "version": hidden(shown, "version")},
    )

    assert answer.headers["location"] == "/posts?done=saved"
    [kept] = (await gateway.doors.duty.get("/posts", PLANNER)).json()["items"]
    assert (kept["name"], kept["starts_at_time"], kept["counted_hours"], kept["gives_rights"]) == ("总值班", "08:30", None, True)


async def test_whom_a_post_entrusts_with_rights_is_a_leaders_to_say(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway, pool_people=[str(LIANG_YUAN.id)])
    kept = {"name": "值班员", "starts_at_time": "08:00", "hours": "24", "head_count": "1", "place_in_list": "0", "version": "1"}

    shown = await browser.get(f"/posts/{post_id}")
    answer = await browser.post(f"/posts/{post_id}", data={**kept, "gives_rights": "on", "pool_people": str(JIANG_CAIWEI.id)})

    assert "由领导指定" in words_of(shown)
    assert LIANG_YUAN.name in words_of(shown)
    assert "<select" not in shown.text
    assert "gives_rights" not in (await browser.get("/posts/new")).text
    assert answer.status_code == 403
    assert "由领导决定" in words_of(answer)


async def test_whoever_was_overtaken_sees_what_stands_there_now(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)
    await gateway.doors.duty.patch(f"/posts/{post_id}", {"head_count": 3, "version": 1}, PLANNER)
    mine = {
        "name": "总值班",
        "starts_at_time": "08:00",
        "hours": "24",
        "head_count": "1",
        "place_in_list": "0",
        "version": "1",
        "gives_rights": "on",
    }

    late = await browser.post(f"/posts/{post_id}", data=mine)
    again = await browser.post(f"/posts/{post_id}", data={**mine, "version": hidden(late, "version")})

    assert late.status_code == 409
    assert 'value="总值班"' in late.text
    assert "现在的内容" in words_of(late)
    assert again.headers["location"] == "/posts?done=saved"


async def test_a_post_is_retired_and_taken_up_again(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)

    gone = await browser.post(f"/posts/{post_id}/retirement", data={"version": "1", "retired": "true"})
    listed = words_of(await browser.get("/posts"))
    back = await browser.post(f"/posts/{post_id}/retirement", data={"version": "2", "retired": "false"})

    assert gone.headers["location"] == "/posts?done=post_retired"
    assert "已停用" in listed
    assert back.headers["location"] == "/posts?done=saved"
    assert (await browser.get("/posts/0198a3f2-7c41-7d3e-9b5a-2f6c8d1e4a70")).status_code == 404
