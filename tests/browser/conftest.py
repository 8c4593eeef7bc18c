"""A real browser on the real system: the demo is started once by its one command, and every test has a browser of its own."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from infra.browser import find
from infra.folder import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 180
AXE = Path(__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo of this run's own."""
    folder = tmp_path_factory.mktemp("demo")
    log = folder / "log"
    env = {"PATH": os.environ["PATH"], "PORT": str(free_port()), "DATA": str(folder / "data"), "PYTHONWARNINGS": "ignore"}
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "infra.local", "demo"], cwd=ROOT, env=env, stdout=out, stderr=out)
    until = time.monotonic() + READY_SECONDS
    address = ""
    while not address and time.monotonic() < until and process.poll() is None:
        address = next((line.split()[1] for line in log.read_text().splitlines() if line.startswith("ready ")), "")
        time.sleep(0.1)
    assert address, "the demo did not start:\n" + "\n".join(log.read_text().splitlines()[-20:])
    yield address
    process.send_signal(signal.SIGINT)
    process.wait(30)


@pytest.fixture(scope="session")
async def chrome(anyio_backend: str) -> AsyncIterator[Browser]:
    """The machine's Chromium; `make test` brings it where it can and says so where it cannot."""
    program = find()
    if program is None:
        pytest.skip("no Chromium on this machine: the tests in a browser are left out (make browser says why)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


Windows = dict[tuple[int, str], BrowserContext]
"""By width and scheme, what is open for those who only look."""


@pytest.fixture(scope="session")
async def windows(chrome: Browser) -> AsyncIterator[Windows]:
    """Kept from test to test."""
    found: Windows = {}
    yield found
    for context in found.values():
        await context.close()


class Screen:
    """Somebody's screen: a window of some width, in a language, signed in as one of the cast."""

    def __init__(self, context: BrowserContext, page: Page, base: str) -> None:
        self.context, self.page, self.base = context, page, base
        self._stream = asyncio.Event()
        page.on("framenavigated", lambda frame: self._stream.clear())
        page.on("response", lambda answer: self._stream.set() if answer.url.startswith(f"{base}/live?") else None)

    async def open(self, path: str) -> None:
        """Go there."""
        await self.page.goto(self.base + path)

    async def barriers(self) -> list[str]:
        """What axe finds on the page, in a line each; only what is wrong is worked out in full, which takes half the time."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        run = "tags => axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })"
        found: dict[str, Any] = await self.page.evaluate(run, RULES)
        return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]]

    async def hears(self) -> None:
        """Wait until the page that is open now has its stream, by which it is told of changes."""
        async with asyncio.timeout(15):
            await self._stream.wait()


class Screens:
    """Makes screens."""

    def __init__(self, browser: Browser, base: str, windows: Windows) -> None:
        self.browser, self.base, self.windows = browser, base, windows
        self.contexts: list[BrowserContext] = []
        self.pages: list[Page] = []
        self.cast: dict[str, str] = {}

    def name_of(self, part: str) -> str:
        """The name on the button of a part: health, second, leader, administrator, head, reporter, everyone, agency."""
        if not self.cast:
            for one in httpx.get(f"{self.base}/api/v1/identity/demo/cast", trust_env=False).json()["items"]:
                self.cast[one["hint"] if one["hint"] in ("second", "agency") else one["role"]] = one["name"]
        return self.cast[part]

    async def of(
        self, part: str | None, *, width: int = 1280, lang: str = "zh-Hans", scheme: str = "light", scripts: bool = True
    ) -> Screen:
        """A screen on which somebody of the cast is signed in by their button; None: nobody is."""
        context = await self._window(width, scheme, scripts)
        self.contexts.append(context)
        return await self._in(context, part, lang)

    async def looking(self, part: str | None, *, width: int, lang: str, scheme: str) -> Screen:
        """A screen for who only looks: in the window in which the one before looked, whose cookies are gone. A new one takes a second."""
        if (width, scheme) not in self.windows:
            self.windows[width, scheme] = await self._window(width, scheme, True)
        context = self.windows[width, scheme]
        await context.clear_cookies()
        screen = await self._in(context, part, lang)
        self.pages.append(screen.page)
        return screen

    async def _window(self, width: int, scheme: str, scripts: bool) -> BrowserContext:
        return await self.browser.new_context(
            viewport={"width": width, "height": 844 if width < 700 else 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
        )

    async def _in(self, context: BrowserContext, part: str | None, lang: str) -> Screen:
        await context.add_cookies([{"name": "lang", "value": lang, "url": self.base}])
        page = await context.new_page()
        page.set_default_timeout(15_000)
        await page.goto(self.base + "/signin")
        if part is not None:
            await page.locator(".cast button", has_text=self.name_of(part)).first.click()
            await page.wait_for_url(lambda url: "/signin" not in url)
        return Screen(context, page, self.base)


@pytest.fixture
async def screens(chrome: Browser, demo: str, windows: Windows) -> AsyncIterator[Screens]:
    """Screens of this test's own."""
    found = Screens(chrome, demo, windows)
    yield found
    for one in (*found.pages, *found.contexts):
        await one.close()
