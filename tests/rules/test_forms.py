"""What a form, a language, a path back and a code's sentence are, without a browser and without a service."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import Headers

from gateway.formats import MOMENT, write_ago, write_date, write_datetime, write_number, write_percent
from gateway.forms import form_key, local_times, once, typed, uploaded
from gateway.i18n import accepted, back_to, safe_next
from gateway.nav import MENU, TABS, current, items_for, tabs_of
from gateway.words import field_sentence, problem_sentence, say
from shared.web import CODES_OF_FIELDS

SHANGHAI = ZoneInfo("Asia/Shanghai")


def sent(body: str | None = None, **options: object) -> dict[str, object]:
    """What a handler reads of a form."""
    app = FastAPI()

    @app.post("/")
    async def read(request: Request) -> dict[str, object]:
        form = await typed(request, lists=("departments",))
        file = await uploaded(request, "file")
        return {"form": form, "key": form_key(request), "again": str(once(form)), "file": file.filename if file else None}

    async def send() -> httpx.Response:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://house") as browser:
            return await browser.post("/", content=body, headers=headers, **options)  # type: ignore[arg-type]

    answer = asyncio.run(send())
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


def test_lists_are_kept_and_empty_fields_are_dropped() -> None:
    form = sent("name=+Ann+&note=&tag=a&tag=&tag=b&departments=d1")["form"]

    assert form == {"name": "Ann", "tag": ["a", "b"], "departments": ["d1"]}


def test_a_list_that_nothing_was_ticked_in_is_an_empty_list() -> None:
    assert sent("name=Ann")["form"] == {"name": "Ann", "departments": []}


def test_text_is_brought_to_one_normal_form_and_one_kind_of_line_end() -> None:
    assert sent("name=e%CC%81&note=a%0D%0Ab")["form"] == {"name": "\u00e9", "note": "a\nb", "departments": []}


def test_broken_bytes_and_control_characters_are_left_for_the_service_to_name() -> None:
    form = sent("name=a%00b&note=%ff%fe")["form"]

    assert isinstance(form, dict)
    assert form["name"] == "a\x00b"
    assert "note" in form


def test_a_form_keeps_its_key_when_it_is_shown_again() -> None:
    read = sent("once=k-1&name=Ann")

    assert read["key"] == "k-1"
    assert 'value="k-1"' in str(read["again"])
    assert "once" not in read["form"]  # type: ignore[operator]


def test_a_form_without_a_key_gets_a_fresh_one_each_time() -> None:
    assert sent("name=Ann")["key"] != sent("name=Ann")["key"]
    assert once() != once()


def test_a_key_cannot_break_out_of_its_field() -> None:
    assert '"><script>' not in str(sent("once=%22%3E%3Cscript%3E")["again"])


def test_a_chosen_file_is_found_beside_the_typed_fields() -> None:
    read = sent(files={"file": ("list.csv", b"a,b", "text/csv")}, data={"name": "Ann"})

    assert (read["file"], read["form"]) == ("list.csv", {"name": "Ann", "departments": []})


def test_a_local_time_that_happens_twice_has_two_meanings_and_one_that_is_skipped_has_none() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    assert len(local_times("2021-10-31T02:30", berlin)) == 2
    assert local_times("2021-03-28T02:30", berlin) == []
    assert local_times("2021-08-05T16:25", SHANGHAI) == [datetime(2021, 8, 5, 8, 25, tzinfo=UTC)]
    assert local_times("yesterday", SHANGHAI) == []


@pytest.mark.parametrize(
    "path", ["", None, "https://else.where/", "//else.where", "/\\else.where", "/a\nb", "people", "/\t/else.where", "javascript:alert(1)"]
)
def test_no_way_back_leads_outside(path: str | None) -> None:
    assert safe_next(path) == "/"


@given(st.text(max_size=60))
def test_whatever_is_asked_for_the_way_back_stays_on_this_site(path: str) -> None:
    way = safe_next(path)

    assert way.startswith("/")
    assert not way.startswith("//")
    assert "\\" not in way


def test_a_page_of_ours_is_a_way_back() -> None:
    assert safe_next("/people?q=江&page=2") == "/people?q=江&page=2"


@pytest.mark.parametrize(
    ("referer", "way"), [("http://house/people?page=2", "/people?page=2"), ("http://else.where/people", "/"), ("", "/"), ("nonsense", "/")]
)
def test_only_our_own_referer_says_where_one_came_from(referer: str, way: str) -> None:
    scope = {"type": "http", "app": Starlette(), "headers": Headers({"host": "house", "referer": referer}).raw}

    assert back_to(Request(scope)) == way


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "zh-Hans"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-TW", "zh-Hans"),
        ("de,en;q=0.5,zh;q=0.4", "en"),
        ("en;q=0.3,zh-CN;q=0.8", "zh-Hans"),
        ("en;q=0", "zh-Hans"),
        ("en;q=2,zh", "zh-Hans"),
        ("*", "zh-Hans"),
        (";;;q=,,", "zh-Hans"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_asks_for_else_in_chinese(header: str, lang: str) -> None:
    assert accepted(header) == lang


def test_dates_are_written_as_each_language_writes_them_and_this_year_is_left_out() -> None:
    MOMENT.set(datetime(2021, 8, 4, 7, 40, tzinfo=SHANGHAI))

    assert write_date("zh-Hans", "2020-03-12") == "2020 年 3 月 12 日"
    assert write_date("zh-Hans", "2021-08-04") == "8 月 4 日"
    assert write_date("en", "2020-03-12") == "12 Mar 2020"
    assert write_date("en", "2021-03-12", year=True) == "12 Mar 2021"
    assert write_datetime("en", "2021-08-04T20:30:00Z") == "5 Aug 04:30"
    assert write_ago("en", "2021-08-03T23:37:00+00:00") == "3 minutes ago"
    assert write_ago("zh-Hans", "2021-08-03T23:39:40+00:00") == "刚刚"
    assert write_number("en", 1321) == "1,321"
    assert write_percent("en", 108, 120) == "90%"


@pytest.mark.parametrize("nothing", [None, "", "no date", "2021-02-30"])
def test_what_is_no_date_is_written_as_nothing(nothing: object) -> None:
    assert write_date("en", nothing) == "–"
    assert write_datetime("zh-Hans", nothing) == "–"


def test_a_share_of_nobody_is_not_zero_per_cent() -> None:
    assert write_percent("en", 0, 0) == "–"


def test_a_code_becomes_a_sentence_with_its_params_in_the_readers_language() -> None:
    MOMENT.set(datetime(2021, 8, 4, tzinfo=SHANGHAI))
    params = {"second": 2, "second_on": "2021-04-02", "first": 1, "first_on": "2021-04-23"}

    assert say("doses_out_of_order", params, "en") == "Dose 2 (2 Apr) is before dose 1 (23 Apr)."
    assert say("doses_out_of_order", params, "zh-Hans") == "第 2 剂（4 月 2 日）早于第 1 剂（4 月 23 日）。"
    assert say("not_yours_to_give", {"role": "health"}, "en") == "The role health records is not yours to give."


def test_a_limit_is_said_whatever_it_was_called_where_it_was_found() -> None:
    assert say("too_long", {"max_length": 40}) == say("too_long", {"limit": 40}) == "This is too long: at most 40 characters."
    assert say("too_small", {"ge": 1}) == "At least 1."


def test_a_code_nobody_has_words_for_says_the_sentence_the_service_gave() -> None:
    assert problem_sentence({"code": "brand_new", "title": "Something new."}, "zh-Hans") == "Something new."
    assert say("brand_new") == "brand_new"


def test_a_param_that_is_missing_or_looks_like_a_format_does_no_harm() -> None:
    assert say("date_unreadable", {}) == "“…” is not a date."
    assert say("date_unreadable", {"text": "{text.__class__}"}) == "“{text.__class__}” is not a date."


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
def test_what_is_wrong_with_a_field_is_said_without_a_hole(lang: str) -> None:
    limits = {"too_long": "max_length", "too_short": "min_length", "too_small": "ge", "too_big": "le"}

    said = {code: say(code, {limits[code]: 7} if code in limits else {}, lang) for code in {*CODES_OF_FIELDS.values(), "too_short"}}

    assert not [code for code, words in said.items() if "…" in words or words == code]


def test_a_field_is_told_its_own_error_only() -> None:
    problem = {"code": "invalid", "errors": [{"field": "given_on", "code": "required", "params": {}}]}

    assert field_sentence(problem, "given_on", "en") == "This is needed."
    assert field_sentence(problem, "lot", "en") == ""
    assert field_sentence(None, "given_on", "en") == ""


def test_the_rail_shows_what_the_policy_allows_and_the_tab_bar_what_fits() -> None:
    person, health = items_for({"everyone"}), items_for({"everyone", "health"})

    assert {"/", "/myshifts", "/inbox", "/rosters", "/me"} == {item.href for item in person}
    assert "/imports" in [item.href for item in health]
    assert "/system" not in [item.href for item in health]
    assert tabs_of(person) == person
    assert len(tabs_of(health)) == TABS
    assert tabs_of(health)[-1] == MENU


def test_an_account_that_is_nobodys_yet_is_led_to_no_shifts_and_no_roster() -> None:
    hrefs = [item.href for item in items_for({"administrator"}, is_person=False)]

    assert {"/", "/inbox", "/accounts", "/roles"} < set(hrefs)
    assert not {"/myshifts", "/rosters"} & set(hrefs)


@pytest.mark.parametrize("role", ["coordinator", "leader", "duty_officer"])
def test_whoever_watches_operations_has_them_under_the_thumb(role: str) -> None:
    tabs = [item.href for item in tabs_of(items_for({"everyone", role}))]

    assert tabs == ["/", "/inbox", "/notices", "/operations", "/menu"]


def test_a_page_below_an_entry_lights_that_entry() -> None:
    items = items_for({"health"})

    assert current("/people/0190", items) == "/people"
    assert current("/peoples", items) == ""
    assert current("/", items) == "/"
