"""How dates, times and numbers are written, in the language and the zone of the page."""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal, format_percent

from gateway.i18n import gettext, locale

# Business time of the page being written, in the institution's zone.
MOMENT: ContextVar[datetime] = ContextVar("moment", default=datetime(1970, 1, 1, tzinfo=UTC))
NOTHING = "–"
_DAYS = {"zh-Hans": ("y 年 M 月 d 日", "M 月 d 日"), "en": ("d MMM y", "d MMM")}


def moment(value: Any) -> datetime | None:
    """An instant as the services write it (ISO 8601 with zone), in the institution's zone; None for anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(MOMENT.get().tzinfo)


def day(value: Any) -> date | None:
    """A local date: of a date, an ISO date, or the day an instant falls on in the institution's zone."""
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    found = moment(value)
    return found.date() if found else None


@lru_cache(maxsize=4096)
def _spelled(found: date, pattern: str, lang: str) -> str:
    """Babel reads its pattern anew at each date; a list has the same few days over and over."""
    return format_date(found, pattern, locale=locale(lang))


@lru_cache(maxsize=4096)
def _grouped(value: float, lang: str) -> str:
    return format_decimal(value, locale=locale(lang))


def write_date(lang: str, value: Any, *, year: bool = False) -> str:
    """`2021 年 3 月 12 日`, `12 Mar 2021`; without the year when it is this year's, unless `year` is asked for."""
    found = day(value)
    if found is None:
        return NOTHING
    long, short = _DAYS[lang]
    return _spelled(found, long if year or found.year != MOMENT.get().year else short, lang)


def write_weekday(lang: str, value: Any) -> str:
    """`周四`, `Thu`."""
    found = day(value)
    return NOTHING if found is None else _spelled(found, "EEE", lang)


def write_time(lang: str, value: Any) -> str:
    """`16:30`, 24 hours, in the institution's zone."""
    found = moment(value)
    return NOTHING if found is None else f"{found:%H:%M}"


def write_datetime(lang: str, value: Any) -> str:
    """`8 月 5 日 16:30`, `5 Aug 16:30`."""
    found = moment(value)
    return NOTHING if found is None else f"{write_date(lang, found)} {found:%H:%M}"


def write_number(lang: str, value: Any) -> str:
    """`1,321`; nothing is written for nothing."""
    return NOTHING if value is None or value == "" else _grouped(value, lang)


def write_percent(lang: str, value: Any, of: Any = None, digits: int = 0) -> str:
    """A share as per cent: of one (`0.9`), or a number `of` a whole. A share of nobody is not 0 %."""
    if value is None or of == 0:
        return NOTHING
    share = value / of if of is not None else value
    return format_percent(share, f"#,##0.{'0' * digits}%" if digits else "#,##0%", locale=locale(lang))


def write_ago(lang: str, value: Any) -> str:
    """`3 分钟前`, `in 2 hours`, measured from the page's moment; the date once it is more than six days away."""
    found = moment(value)
    if found is None:
        return NOTHING
    away = found - MOMENT.get()
    if abs(away) < timedelta(minutes=1):
        return gettext(lang, "just now")
    if abs(away) > timedelta(days=6):
        return write_datetime(lang, found)
    return format_timedelta(away, add_direction=True, locale=locale(lang))


def write_list(lang: str, values: Any) -> str:
    """`甲、乙、丙`, `a, b, c`."""
    return ("、" if lang == "zh-Hans" else ", ").join(str(value) for value in values)


def write_field_time(value: Any) -> str:
    """An instant as the field of a form takes it, by the institution's clock; nothing of none."""
    found = moment(value)
    return found.strftime("%Y-%m-%dT%H:%M") if found else ""


def write_phone(number: str | None) -> str:
    """A phone number as people here write it: without the country's own code."""
    return (number or "–").removeprefix("+86")


def filters(lang: str) -> dict[str, Callable[..., str]]:
    """The filters a template may use, in its language."""

    def spoken(write: Callable[..., str]) -> Callable[..., str]:
        return lambda *values, **options: write(lang, *values, **options)

    writers: dict[str, Callable[..., str]] = {
        "date": write_date,
        "weekday": write_weekday,
        "time": write_time,
        "datetime": write_datetime,
        "ago": write_ago,
        "number": write_number,
        "percent": write_percent,
        "joined": write_list,
    }
    return {name: spoken(write) for name, write in writers.items()} | {"phone": write_phone, "field_time": write_field_time}
