"""Every page, on a phone and at a desk, in both languages and schemes: no barrier that axe finds, nothing scrolls sideways, no error."""

import pytest

from tests.browser.conftest import Screen, Screens

HR, LEADER, ADMINISTRATOR, HEAD, REPORTER, STAFF = "health", "leader", "administrator", "head", "reporter", "everyone"
COORDINATOR = "coordinator"

PAGES: dict[str | None, tuple[str, ...]] = {
    None: ("/signin", "/activate", "/privacy", "/styleguide", "/no-such-page"),
    HR: (
        *("/", "/me", "/menu", "/people", "/people?q=jiang", "/people?q=nobody-is-called-so", "/people/new"),
        *("/departments", "/coverage", "/coverage/urge", "/exemptions", "/remarks", "/imports", "/accounts", "/roles", "/clients"),
        *("/inbox", "/notices", "/notices/new"),
    ),
    LEADER: (
        "/",
        "/calls",
        "/people",
        "/coverage",
        "/exemptions",
        "/inbox",
        "/notices",
        "/notices?show=withdrawn",
        "/notices/new",
        "/operations",
        "/openings",
        "/teams",
    ),
    ADMINISTRATOR: ("/", "/accounts", "/roles", "/clients", "/webhooks", "/system", "/institution"),
    HEAD: ("/", "/people", "/coverage", "/coverage/urge", "/inbox", "/notices"),
    REPORTER: ("/", "/people"),
    COORDINATOR: ("/", "/myshifts"),
    STAFF: ("/", "/myshifts", "/checkin/no-such-code", "/inbox", "/me", "/privacy", "/rosters", "/rosters/2021-08-09", "/posts"),
}
LOOKS = [pytest.param(390, "zh-Hans", "light", id="phone-zh-light"), pytest.param(1280, "en", "dark", id="desk-en-dark")]
SMALLEST = 320


async def at_a_site(screen: Screen) -> list[str]:
    """The board of an operation, at the desk and on the wall; who is there at one of its shifts; the code there, and where it leads."""
    links = (
        "pattern => [...document.querySelectorAll('main a')].map(a => a.getAttribute('href')).find(href => new RegExp(pattern).test(href))"
    )
    await screen.open("/operations")
    board = str(await screen.page.evaluate(links, "^/operations/[0-9a-f-]{36}")).partition("?")[0] + "/board"
    await screen.open(board)
    attendance = str(await screen.page.evaluate(links, "^/shifts/")).replace("/shifts/", "/attendance/")
    await screen.open(attendance)
    code = str(await screen.page.evaluate(links, "^/sites/.*/code$"))
    await screen.open(code)
    address = await screen.page.locator(".poster p", has_text="/checkin/").inner_text()
    return [board, f"{board}?wall=1", attendance, code, "/checkin/" + address.partition("/checkin/")[2]]


@pytest.mark.parametrize("width, lang, scheme", LOOKS)
@pytest.mark.parametrize("part", list(PAGES), ids=lambda part: str(part))
async def test_no_page_has_a_barrier_or_scrolls_sideways(screens: Screens, part: str | None, width: int, lang: str, scheme: str) -> None:
    screen = await screens.looking(part, width=width, lang=lang, scheme=scheme)
    wrong: list[str] = []
    screen.page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    screen.page.on("console", lambda said: wrong.append(f"console: {said.text}") if "Content Security Policy" in said.text else None)
    paths = list(PAGES[part])
    if part in (HR, LEADER, HEAD):
        await screen.open("/people")
        link = await screen.page.locator("main tbody a[href^='/people/']").first.get_attribute("href")
        assert link
        paths.append(link)
    if part == COORDINATOR:
        paths += await at_a_site(screen)
    for path in paths:
        await screen.open(path)
        wrong += [f"{path} {one}" for one in await screen.barriers()]
        if width < 400:
            await screen.page.set_viewport_size({"width": SMALLEST, "height": 700})
            if await screen.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
                wrong.append(f"{path} scrolls sideways on the smallest phone")
            await screen.page.set_viewport_size({"width": width, "height": 844})
    assert wrong == []


async def test_what_is_wrong_in_a_form_is_said_with_the_name_of_its_field(screens: Screens) -> None:
    screen = await screens.of(None, width=1280, lang="en", scheme="light")

    await screen.open("/styleguide")

    assert await screen.page.locator("[data-refusal] .wrong a").all_inner_texts() == [
        "Given on: This is still to come.",
        "Lot: This is too long: at most 40 characters.",
    ]


async def test_a_long_name_wraps_in_its_column_and_pushes_no_other_out_of_the_card(screens: Screens) -> None:
    screen = await screens.of(HR, width=1280, lang="en", scheme="light")
    long = "The International Cooperation, Exchange and Overseas Student Affairs Division"

    await screen.open("/people")
    await screen.page.locator("tbody th .dim").first.evaluate("(under, long) => { under.textContent = long }", long)

    widths = await screen.page.evaluate(
        "['#people', '#people table'].map(one => document.querySelector(one).getBoundingClientRect().right)"
    )
    assert widths[1] <= widths[0] + 1
