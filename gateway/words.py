"""Says what the codes of the services mean (gateway/codes), in the language of the page."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from gateway.codes import WORDS
from gateway.formats import day, moment, write_date, write_datetime, write_list, write_number
from gateway.i18n import N_, gettext

# One sentence a code, whatever the limit is called where it was found.
_SAME = {"max_length": "limit", "max": "limit", "min_length": "min", "ge": "min", "le": "max"}
_TERMS = {"role", "standing", "employment", "scope", "rule"}  # params whose value is a code itself


class _Params(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "…"  # a sentence with a hole is better than none


def say(code: str, params: Mapping[str, Any] | None = None, lang: str = "en", otherwise: str = "") -> str:
    """The sentence of a code. A code nobody has words for says `otherwise`, the English sentence the service gave beside it."""
    template = WORDS.get(code)
    if template is None:
        return otherwise or code
    spoken = _Params()
    for name, value in (params or {}).items():
        spoken[name] = say(f"{name}.{value}", {}, lang, str(value)) if name in _TERMS else written(value, lang)
        spoken.setdefault(_SAME.get(name, name), spoken[name])
    return Formatter().vformat(gettext(lang, template), (), spoken)


def written(value: Any, lang: str) -> str:
    """A param as a reader expects it: dates and instants in words, numbers grouped, lists joined."""
    if isinstance(value, Mapping):
        return str(value.get("name", ""))
    if isinstance(value, (list, tuple)):
        return write_list(lang, [written(each, lang) for each in value])
    if isinstance(value, bool) or value is None:
        return "" if value is None else gettext(lang, N_("yes") if value else N_("no"))
    if isinstance(value, (int, float)):
        return write_number(lang, value)
    text = str(value)
    if len(text) == 10 and day(text):
        return write_date(lang, text)
    if len(text) > 15 and text[4:5] == "-" and moment(text):
        return write_datetime(lang, text)
    return text


def problem_sentence(problem: Mapping[str, Any] | None, lang: str) -> str:
    """What the whole of a problem says; the empty word when there is none."""
    if not problem:
        return ""
    return say(str(problem.get("code", "")), problem.get("params") or {}, lang, str(problem.get("title", "")))


def field_sentence(problem: Mapping[str, Any] | None, field: str, lang: str) -> str:
    """What a problem says about one field of the form; the empty word when it says nothing."""
    for error in (problem or {}).get("errors") or []:
        if str(error.get("field", "")).removeprefix("body.") == field:
            return say(str(error.get("code", "")), error.get("params") or {}, lang, str(error.get("title", "")))
    return ""
