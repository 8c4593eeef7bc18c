"""Languages: which one a request speaks, the words of each, and the safe way back to the page one came from."""

import re
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from starlette.requests import Request
from starlette.routing import Match

LANGUAGES = {"zh-Hans": "简体中文", "en": "English"}  # what stands in <html lang>, in the cookie and on the switch
DEFAULT = "zh-Hans"
COOKIE = "lang"
HOME = Path(__file__).parent


def N_(text: str) -> str:
    """Mark a sentence for translation; it is translated where it is shown."""
    return text


def language(request: Request) -> str:
    """The language of a request: the choice kept in the cookie, else what the browser asks for, else Chinese."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else accepted(request.headers.get("accept-language", ""))


def accepted(header: str) -> str:
    """The best language an Accept-Language header asks for that we have. Any Chinese is answered with zh-Hans."""
    wishes: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, weight = part.strip().partition(";")
        found = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{1,3})?)\s*", weight) if weight else None
        wishes.append((-(float(found[1]) if found else 1.0 if not weight else 0.0), tag.strip().lower()))
    for weight_down, tag in sorted(wishes, key=lambda wish: wish[0]):  # stable: the order of the header decides among equals
        if weight_down < 0 and tag.split("-")[0] in ("zh", "en"):
            return DEFAULT if tag.startswith("zh") else "en"
    return DEFAULT


def locale(lang: str) -> Locale:
    """The CLDR locale of one of our languages."""
    return Locale.parse(lang, sep="-")


def word_files() -> Iterator[Path]:
    """The translations into Chinese: those of the frame first, then each page's own, which lies beside it."""
    yield HOME / "locale" / "zh_Hans.po"
    yield from (path for path in sorted(HOME.glob("*/zh_Hans.po")) if path.parent.name != "locale")


@cache
def translations(lang: str) -> NullTranslations:
    """The words of a language. The source is English, so English needs no file."""
    if lang == "en":
        return NullTranslations()
    joined = Catalog(locale=Locale.parse("zh_Hans"), charset="utf-8")
    for path in word_files():
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_Hans"):
                if message.id and message.string and not message.fuzzy:
                    joined.add(message.id, message.string, context=message.context)
    binary = BytesIO()
    write_mo(binary, joined)
    binary.seek(0)
    return Translations(binary)


def gettext(lang: str, text: str) -> str:
    """A sentence in a language, or the English one when it has no translation."""
    return str(translations(lang).gettext(text))


def safe_next(path: str | None) -> str:
    """A path inside this site, or the first page: one leading slash, no host, no backslash, no control character."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path or re.search(r"[\x00-\x20\x7f]", path):
        return "/"
    parts = urlsplit(path)
    return "/" if parts.scheme or parts.netloc else path


def back_to(request: Request) -> str:
    """The page of ours a form was sent from, by its Referer; the first page when that is unknown or foreign."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host", ""):
        return "/"
    goal = safe_next(parts.path + (f"?{parts.query}" if parts.query else ""))
    path = urlsplit(goal).path
    if _opens(request, path) is not Match.PARTIAL:
        return goal
    while path and _opens(request, path) is not Match.FULL:  # a refused form stands where things are only sent: go up
        path = path.rpartition("/")[0]
    return path or "/"


def _opens(request: Request, path: str) -> Match:
    scope = {**request.scope, "path": path, "raw_path": path.encode(), "method": "GET"}
    return max((route.matches(dict(scope))[0] for route in request.app.routes), key=lambda match: match.value, default=Match.NONE)
