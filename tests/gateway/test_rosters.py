"""The week: filled, checked while one types, published, amended; read by everybody once it is published."""

import httpx

from shared.clock import set_now
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.gateway.duties import WEEK, names, officer, planner
from tests.people import FANG_JIBAI, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, Person
from tests.services.deployment import is_on, knows_everybody, planned, shifts_of
from tests.services.duties import GATE, IN_TURN, day, published, read
from tests.services.test_rosters import EIGHT


def typed(post_id: str, people: dict[int, Person | str], place: int = 1) -> dict[str, str]:
    """What the grid sends: somebody chosen with script, or only words."""
    found = {}
    for number, one in people.items():
        key = f"{post_id}.{day(number)}.{place}"
        found[f"name.{key}"] = one if isinstance(one, str) else one.name
        found[f"who.{key}"] = "" if isinstance(one, str) else f"{one.id} {one.name}"
    return found


async def save(browser: httpx.AsyncClient, fields: dict[str, str], version: int = 0, **more: str) -> httpx.Response:
    return await browser.post(f"{WEEK}/edit", data={"version": str(version), **fields, **more})


def whole_week() -> dict[int, Person | str]:
    return {number: IN_TURN[number % 3] for number in range(7)}


async def test_without_posts_the_planner_is_led_to_them_and_others_read_that_nothing_is_published(gateway: GatewayDoor) -> None:
    browser, staff = await planner(gateway), await gateway.browser(LIANG_YUAN)

    assert (await staff.get("/rosters")).headers["location"] == "/rosters/2021-08-02"
    assert (await staff.get("/rosters/2021-08-11")).headers["location"] == WEEK
    assert 'href="/posts/new"' in (await browser.get(WEEK)).text
    assert "这一周还没有发布" in words_of(await staff.get(WEEK))
    assert (await staff.get(f"{WEEK}/edit")).status_code == 403
    assert (await staff.post(f"{WEEK}/edit", data={"version": "0"})).status_code == 403


async def test_a_week_is_typed_saved_and_shown_with_what_is_wrong(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)

    people: dict[int, Person | str] = {0: LIANG_YUAN, 1: "liangyuan", 2: FANG_JIBAI.number, 3: JIANG_CAIWEI}
    answer = await save(browser, typed(post_id, people))

    assert answer.headers["location"] == f"{WEEK}/edit?done=saved"
    roster = await read(gateway.doors.duty)
    assert names(roster) == [LIANG_YUAN.name, LIANG_YUAN.name, FANG_JIBAI.name, JIANG_CAIWEI.name, None, None, None]
    words = words_of(await browser.get(f"{WEEK}/edit"))
    assert "3 处空岗" in words
    assert "小时" in words
    assert "草稿" in words_of(await browser.get(WEEK))
    assert LIANG_YUAN.name not in (await (await gateway.browser(GU_CHANGTING)).get(WEEK)).text


async def test_words_that_mean_nobody_or_several_are_said_beside_the_place_and_kept(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)

    answer = await save(browser, typed(post_id, {0: "没有这个人", 1: "2", 2: LIANG_YUAN, 3: LIANG_YUAN}))

    assert answer.status_code == 422
    assert "没有叫这个的" in words_of(answer)
    assert "符合的不止一人" in words_of(answer)
    assert "休息" in words_of(answer)  # what else is wrong is not forgotten meanwhile
    assert 'value="没有这个人"' in answer.text
    assert f'value="{LIANG_YUAN.id} {LIANG_YUAN.name}"' in answer.text
    assert names(await read(gateway.doors.duty)) == [None] * 7


async def test_a_name_changed_by_hand_counts_and_not_the_id_it_was_chosen_for(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)
    fields = typed(post_id, {0: LIANG_YUAN})
    fields[f"name.{post_id}.{day(0)}.1"] = GU_CHANGTING.name

    await save(browser, fields)

    assert names(await read(gateway.doors.duty))[0] == GU_CHANGTING.name


async def test_lists_to_choose_from_do_without_a_script(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)

    shown = await browser.get(f"{WEEK}/edit", params={"plain": "1"})
    chosen = {f"pick.{post_id}.{day(3)}.1": str(GU_CHANGTING.id), "plain": "1"}
    answer = await save(browser, chosen, int(hidden(shown, "version")))

    assert f'<option value="{GU_CHANGTING.id}">' in shown.text
    assert answer.headers["location"] == f"{WEEK}/edit?done=saved&plain=1"
    assert names(await read(gateway.doors.duty))[3] == GU_CHANGTING.name


async def test_the_check_says_while_one_types_what_would_be_wrong_and_saves_nothing(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)
    fields = {"version": "0", **typed(post_id, {0: LIANG_YUAN, 1: LIANG_YUAN, 2: "fang", 3: "没有这个人", 4: GU_CHANGTING.name})}
    fields["typing"] = f"{post_id}.{day(2)}.1"

    answer = await browser.post(f"{WEEK}/check", data=fields, headers=partial("findings"))

    assert answer.text.strip().startswith("<section")
    assert f'data-wrong="{post_id}.{day(1)}.1"' in answer.text
    assert f'data-gap="{post_id}.{day(2)}.1"' in answer.text
    assert f'data-wrong="{post_id}.{day(3)}.1"' in answer.text
    assert f"{post_id}.{day(4)}.1" not in answer.text  # written out in full: just that one is meant
    assert "休息" in words_of(answer)
    assert names(await read(gateway.doors.duty)) == [None] * 7


async def test_candidates_come_as_one_types_the_free_ones_first(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)
    query = {"post_id": post_id, "on": day(0), "q": "liangyu"}

    answer = await browser.get(f"{WEEK}/candidates", params=query, headers=partial("candidates"))
    nobody = await browser.get(f"{WEEK}/candidates", params={**query, "q": "zzz"}, headers=partial("candidates"))

    assert answer.text.count('role="option"') == 1
    assert f'data-id="{LIANG_YUAN.id}"' in answer.text
    assert "没有叫这个的" in words_of(nobody)


async def test_a_week_is_copied_into_the_next(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    await published(gateway.doors.duty)
    following = "2021-08-16"

    copied = await browser.post(f"/rosters/{following}/copy")
    again = await browser.post(f"/rosters/{following}/copy")

    assert copied.headers["location"] == f"/rosters/{following}/edit?done=week_copied"
    assert again.status_code == 409
    assert "没有可以" in words_of(again) or "沿用" in words_of(again) or "照搬" in words_of(again)


async def test_gaps_and_clashes_keep_a_week_from_being_published_and_are_listed(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)
    await save(browser, typed(post_id, {0: LIANG_YUAN, 1: LIANG_YUAN}))

    asked = await browser.get(WEEK, params={"publish": "1"})
    forced = await browser.post(f"{WEEK}/publication", data={"version": "1"})

    assert "这一周还不能发布" in words_of(asked)
    assert f'action="{WEEK}/publication"' not in asked.text
    assert forced.status_code == 409
    assert (await read(gateway.doors.duty))["state"] == "draft"


async def test_a_week_is_published_and_then_everybody_reads_it(gateway: GatewayDoor) -> None:
    browser, staff = await planner(gateway), await gateway.browser(LIANG_YUAN)
    post_id = await officer(gateway)

    saved = await save(browser, typed(post_id, whole_week()), publish="1")
    asked = await browser.get(saved.headers["location"])
    answer = await browser.post(f"{WEEK}/publication", data={"version": hidden(asked, "version")})
    read_by_staff = await staff.get(WEEK)

    assert saved.headers["location"] == f"{WEEK}?publish=1"
    assert "发布这一周" in words_of(asked)
    assert answer.headers["location"] == f"{WEEK}?done=week_published"
    assert read_by_staff.text.count(JIANG_CAIWEI.name) == 2
    assert "slot mine" in read_by_staff.text
    assert "编制" in read_by_staff.text
    assert LIANG_YUAN.number not in read_by_staff.text
    assert f'href="{WEEK}/edit"' not in read_by_staff.text


async def on_a_shift(gateway: GatewayDoor, person: Person, number: int) -> None:
    """The person is confirmed on a shift of the n-th day."""
    dispatch, on = gateway.doors.dispatch, day(number)
    await knows_everybody(dispatch)
    operation = await planned(dispatch, from_on=on, until_on=on)
    await is_on(dispatch, (await shifts_of(dispatch, operation))[0], person)


async def test_an_assignment_in_the_way_is_named_and_freeing_it_and_publishing_are_one_step(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)
    await save(browser, typed(post_id, whole_week()))
    await on_a_shift(gateway, LIANG_YUAN, 0)

    asked = await browser.get(WEEK, params={"publish": "1"})
    plain = await browser.post(f"{WEEK}/publication", data={"version": "1"})
    answer = await browser.post(f"{WEEK}/publication", data={"version": "1", "free": "1", "ref": hidden(asked, "ref")})

    assert "撤下派工并发布" in words_of(asked)
    assert LIANG_YUAN.name in words_of(asked)
    assert plain.status_code == 409
    assert "撤下派工并发布" in words_of(plain)
    assert answer.headers["location"] == f"{WEEK}?done=week_published"
    assert (await read(gateway.doors.duty))["state"] == "published"


async def test_an_amendment_frees_an_assignment_where_the_planner_says_so(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    roster = await published(gateway.doors.duty)
    fields = typed(roster["posts"][0]["id"], {**whole_week(), 1: GU_CHANGTING})
    await on_a_shift(gateway, GU_CHANGTING, 1)

    refused = await save(browser, fields, roster["version"], reason="互换")
    answer = await save(browser, fields, roster["version"], reason="互换", free="1", ref=hidden(refused, "ref"))

    assert refused.status_code == 409
    assert "已有派工" in words_of(refused)
    assert 'value="互换"' in refused.text
    assert answer.headers["location"] == f"{WEEK}?done=amended"


async def test_without_dispatch_nobody_is_freed_and_nothing_is_published(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)
    await save(browser, typed(post_id, whole_week()))
    gateway.down("dispatch")

    answer = await browser.post(f"{WEEK}/publication", data={"version": "1", "free": "1", "ref": post_id})

    assert answer.status_code == 503
    assert (await read(gateway.doors.duty))["state"] == "draft"


async def test_a_published_week_is_amended_with_a_reason_and_the_history_says_so(gateway: GatewayDoor) -> None:
    browser, staff = await planner(gateway), await gateway.browser(LIANG_YUAN)
    roster = await published(gateway.doors.duty)
    post_id, version = roster["posts"][0]["id"], roster["version"]
    fields = typed(post_id, {**whole_week(), 1: GU_CHANGTING})

    silent = await save(browser, fields, version)
    emptied = await save(browser, typed(post_id, {0: LIANG_YUAN}), version, reason="x")
    answer = await save(browser, fields, version, reason="互换")

    assert silent.status_code == 422
    assert 'id="f_reason_error"' in silent.text
    assert f'value="{GU_CHANGTING.id} {GU_CHANGTING.name}"' in silent.text
    assert emptied.status_code == 409
    assert answer.headers["location"] == f"{WEEK}?done=amended"
    assert "互换" in words_of(await browser.get(WEEK))
    words = words_of(await staff.get(WEEK))
    assert "修订记录" in words
    assert "互换" not in words
    assert (await save(browser, fields, version + 1)).headers["location"] == f"{WEEK}?done=nothing_new"


async def test_whoever_was_overtaken_keeps_what_was_typed(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    post_id = await officer(gateway)
    await save(browser, typed(post_id, {0: LIANG_YUAN}))

    late = await save(browser, typed(post_id, {0: GU_CHANGTING}))
    again = await save(browser, typed(post_id, {0: GU_CHANGTING}), int(hidden(late, "version")))

    assert late.status_code == 409
    assert f'value="{GU_CHANGTING.name}"' in late.text
    assert again.headers["location"] == f"{WEEK}/edit?done=saved"
    assert names(await read(gateway.doors.duty))[0] == GU_CHANGTING.name


async def test_a_post_with_several_places_shows_them_one_below_the_other(gateway: GatewayDoor) -> None:
    browser = await planner(gateway, "en")
    post_id = await officer(gateway, **GATE)

    await save(browser, typed(post_id, {0: PAN_XIANGYE}) | typed(post_id, {0: GU_CHANGTING}, 2))
    shown = await browser.get(f"{WEEK}/edit")

    assert shown.text.count("place 2") == 7
    assert "Plan the week" in words_of(shown)
    roster = await read(gateway.doors.duty)
    assert names(roster)[:2] == [PAN_XIANGYE.name, GU_CHANGTING.name]


async def on_duty(gateway: GatewayDoor) -> httpx.AsyncClient:
    """The week is published and its first morning has come; the browser of 梁予安, who is on duty."""
    await planner(gateway)
    await published(gateway.doors.duty)
    set_now(EIGHT.replace(hour=1))
    return await gateway.browser(LIANG_YUAN)


async def test_every_page_says_who_is_on_duty_now_and_the_home_page_too(gateway: GatewayDoor) -> None:
    browser = await on_duty(gateway)

    assert f"现在值班：{LIANG_YUAN.name}" in words_of(await browser.get("/privacy"))
    home = await browser.get("/")
    assert "现在在岗" in words_of(home)
    assert "tel:" not in home.text
    assert "正在值班" in words_of(home)
    assert words_of(await browser.get(WEEK)).count("（你） 现在") == 1  # at night it stands in the column of yesterday


async def test_no_page_fails_or_waits_when_duty_is_away(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN)
    gateway.down("duty")

    home = await browser.get("/")

    assert home.status_code == 200
    assert "现在值班" not in words_of(home)
    assert "值班情况" in words_of(home)
    assert (await browser.get(WEEK)).status_code == 503
