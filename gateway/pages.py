"""Shows a page, or the one block of it that htmx asks for, and says what every template may use."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Depends
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.codes import WORDS
from gateway.formats import MOMENT, filters
from gateway.forms import once
from gateway.i18n import LANGUAGES, back_to, language, safe_next, translations
from gateway.nav import current, items_for, tabs_of
from gateway.services import Away
from gateway.words import field_sentence, problem_sentence, say
from shared import clock
from shared.settings import settings

HOME = Path(__file__).parent
STATIC = HOME / "static"
VARY = "HX-Request-Type, HX-Target, Cookie, Accept-Language"
WORKER = "worker.js"
SCHEMES = ("light", "dark")  # what one may choose against the device
UPLOAD_BYTES = 21_000_000  # a staff list and the form around it
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class NotSignedIn(Exception):
    """A page that needs a session was asked for without one."""


async def needs_session(request: Request) -> None:
    """The door of every page that does not say why it is open. Who cannot be recognised because identity is away is not sent to sign in."""
    if getattr(request.state, "me", None) is None:
        if getattr(request.state, "identity_away", False):
            raise Away("identity")
        raise NotSignedIn


class Pages(APIRouter):
    """The routes of one page. Each needs a session unless it says why it is open to all; `open_routes` keeps what was said."""

    def __init__(self) -> None:
        super().__init__(default_response_class=HTMLResponse, include_in_schema=False, max_body_size=UPLOAD_BYTES)
        self.open_routes: dict[str, str] = {}

    def get(self, path: str, *, open_to_all: str = "", **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # type: ignore[override]
        """A look: `@pages.get("/people")`, or `@pages.get("/signin", open_to_all="one signs in here")`."""
        return super().get(path, response_model=None, dependencies=self._door("GET", path, open_to_all), **options)

    def post(self, path: str, *, open_to_all: str = "", **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # type: ignore[override]
        """An act; forms send nothing else."""
        return super().post(path, response_model=None, dependencies=self._door("POST", path, open_to_all), **options)

    def _door(self, method: str, path: str, why: str) -> list[Any]:
        if why:
            self.open_routes[f"{method} {path}"] = why
            return []
        return [Depends(needs_session)]


class Static(StaticFiles):
    """Our files. An address with a hash never changes its content, so browsers may keep it."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        answer = await super().get_response(path, scope)
        hashed = scope["query_string"].startswith(b"v=")
        if path == WORKER:
            answer.headers["Service-Worker-Allowed"] = "/"  # it stands under /static and looks after the first page
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return answer


def page(request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """The page `name` ("people/list.html"), or the block of it that htmx asks for. A block nobody knows is answered with the page."""
    lang = language(request)
    template = environment(lang).get_template(name)
    known = {**frame(request, lang), **context}
    MOMENT.set(known["clock"])
    headers = {"Cache-Control": "no-store", "Vary": VARY, "Content-Language": lang}
    block = asked_block(request)
    if block in template.blocks:
        html = "".join(template.blocks[block](template.new_context(known))) + toast_beside(lang, known)
    else:
        html = template.render(known)
    return HTMLResponse(html, status, headers)


def asked_block(request: Request) -> str:
    """The name of the block htmx wants in place of the page; the empty word when it wants the page."""
    if request.headers.get("hx-request-type") != "partial":
        return ""
    return request.headers.get("hx-target", "").partition("#")[2]


def frame(request: Request, lang: str) -> dict[str, Any]:
    """What every template may use beside its own context. What the gateway's session does not say has a plain default."""
    state = request.state
    me = getattr(state, "me", None)
    items = items_for(me["roles"], is_person=bool(me["person"])) if me else []
    now: datetime = getattr(state, "now", None) or clock.now().astimezone(clock.zone())
    done, scheme = request.query_params.get("done", ""), request.cookies.get("scheme", "")
    return {
        "request": request,
        "url_with": partial(url_with, request),
        "me": me,
        "lang": lang,
        "languages": LANGUAGES,
        "scheme": scheme if scheme in SCHEMES else "",
        "clock": now,
        "unread_count": getattr(state, "unread_count", 0),
        "on_duty_now": getattr(state, "on_duty", None),
        "institution": getattr(state, "institution", "") or "Muster",
        "demo": getattr(state, "demo", settings().demo),
        "insecure": getattr(state, "insecure", others_can_read(request)),
        "nav": items,
        "tabs": tabs_of(items),
        "here": current(request.url.path, items),
        "toast": say(f"done.{done}", {}, lang) if f"done.{done}" in WORDS else "",
    }


def others_can_read(request: Request) -> bool:
    """Does this request travel unencrypted beyond this machine? Only a demo lets it happen; a proxy before us says https in PUBLIC_URL."""
    plain = request.url.scheme == "http" and not settings().public_url.startswith("https:")
    return settings().demo and plain and request.url.hostname not in _LOOPBACK


def toast_beside(lang: str, known: Mapping[str, Any]) -> str:
    """What was done, sent beside a block: it goes into the toasts of the open page."""
    if not known["toast"]:
        return ""
    return str(environment(lang).get_template("layout/toasts.html").render(toast=known["toast"]))


def error_page(request: Request, status: int, reference: str = "", problem: Mapping[str, Any] | None = None) -> HTMLResponse:
    """The page for what went wrong (401 to 503). When htmx asked for a block, the words go to the alert line and the block stays."""
    answer_context = {"code": status, "reference": reference, "problem": problem}
    if request.headers.get("hx-request-type") != "partial":
        return page(request, "layout/error.html", status, **answer_context)
    lang = language(request)
    template = environment(lang).get_template("layout/error.html")
    known = {**frame(request, lang), **answer_context}
    MOMENT.set(known["clock"])
    html = "".join(template.blocks["alert"](template.new_context(known)))
    return HTMLResponse(html, status, {"Cache-Control": "no-store", "Vary": VARY, "HX-Retarget": "#alert", "HX-Reswap": "innerHTML"})


def sign_in_first(request: Request, _: Exception) -> Response:
    """To the sign-in page and back again. htmx is told to go there as a whole; what was typed waits in the browser."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    partial = request.headers.get("hx-request-type") == "partial"
    goal = safe_next(asked) if request.method == "GET" and not partial else back_to(request)
    address = f"/signin?next={quote(goal, safe='/')}"
    if partial:
        return HTMLResponse("", 401, {"HX-Redirect": address, "Cache-Control": "no-store", "Vary": VARY})
    return RedirectResponse(address, 303)


@cache
def environment(lang: str) -> Environment:
    """The templates in one language, rooted at the gateway: "people/list.html", "layout/page.html"."""
    env = Environment(
        loader=FileSystemLoader(HOME),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings().log_level == "debug",
    )
    words = translations(lang)
    env.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(filters(lang))
    env.globals.update(
        lang=lang,
        once=once,
        static=static,
        drawn=drawn,
        word=lambda code, otherwise="", **params: say(str(code), params, lang, otherwise),
        problem_sentence=lambda problem: problem_sentence(problem, lang),
        field_error=lambda problem, field: field_sentence(problem, field, lang),
    )
    return env


@cache
def static(name: str) -> str:
    """The address of one of our files, with a hash of its content, so that it may be kept for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]}"


@cache
def drawn(icon: str) -> Markup:
    """An icon, as parts.html hands it on. A page has eighty: a macro that is called so often costs more than the rest of the page."""
    return Markup('<svg class="i" aria-hidden="true"><use href="{}#i-{}"/></svg>').format(static("icons.svg"), icon)


def url_with(request: Request, **changes: Any) -> str:
    """This page's address with some of its query changed: None takes a key away, a list gives it several times.

    Without a page of its own a changed filter begins at page 1.
    """
    gone = {*changes, "done", *(() if "page" in changes else ("page",))}
    pairs = [(key, value) for key, value in parse_qsl(request.url.query) if key not in gone]
    for key, value in changes.items():
        if value is not None and value != "":
            pairs += [(key, str(each)) for each in (value if isinstance(value, (list, tuple)) else [value])]
    return request.url.path + (f"?{urlencode(pairs)}" if pairs else "")
