"""One cell of a staff list read as what it should be: a text, a day, a phone number, a product; or the reason why it cannot."""

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache

import phonenumbers

from services.personnel.rules.columns import LOST_DIGITS, Cell, text_of
from services.personnel.rules.identity_numbers import is_identity_number
from services.personnel.rules.products import recognise, suggestions
from services.personnel.rules.programmes import COVID19
from shared.refusals import Reason

LIMITS = {
    "number": 40,
    "name": 100,
    "department": 200,
    "employment": 40,
    "phone": 40,
    "email": 200,
    "product": 200,
    "maker": 200,
    "lot": 60,
    "place": 200,
    "status": 200,
}
"""How many characters a cell may hold; what the API takes too, it takes as long (shapes.py)."""
EARLIEST_ON = date(1900, 1, 1)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _words(**meanings: str) -> dict[str, str]:
    return {word: meaning for meaning, words in meanings.items() for word in words.split()}


_EMPLOYMENTS = _words(
    permanent="在编 在编人员 正式 正式工 正式编制 编制内 事业编 事业编制 行政编 行政编制 公务员 参公 permanent staff civilservant regular",
    agency="派遣 派遣制 派遣工 派遣人员 劳务派遣 劳务派遣人员 劳务派遣工 劳务 劳务工 劳务外包 外包 外包人员"
    " agency agencyworker outsourced temp dispatched",
    contract="聘用 聘用制 聘用人员 合同 合同制 合同工 合同制人员 编外 编外人员 编外聘用 外聘 临聘 contract contractor contracted fixedterm",
    trainee="学员 学生 实习 实习生 进修 进修生 培训学员 trainee student intern",
    volunteer="志愿者 志愿 义工 volunteer",
)
NOTHING = _set("- -- — —— / \\ 无 none n/a na nil 未填 空")
_NOT_STARTED = _set(
    "未接种 未打 未种 没有接种 没接种 没打 尚未接种 未接种疫苗 一针未打 0 0针 0剂 否 无 no none notvaccinated unvaccinated notstarted"
)
_ELSEWHERE = _set("外地接种 在外接种 外地已接种 在外地接种 异地接种 境外接种 elsewhere vaccinatedelsewhere")
_DECLINED = re.compile(r"拒绝|拒种|拒打|不愿|不同意|不想|不接种|不打|declin|refus")
_EXEMPT = re.compile(r"禁忌|暂缓|豁免|过敏|怀孕|孕|哺乳|病|exempt|contraindicat|allerg|pregnan|medical")
_DONE = re.compile(r"已|完成|全程|第?[一二三123][针剂]|是$|yes|complete|partial|fully|done|vaccinated|加强")
SUMS = _set("合计 总计 小计 共计 total sum subtotal")
_ERROR_VALUES = _set("#N/A #REF! #VALUE! #NAME? #DIV/0! #NUM! #NULL! #SPILL! #CALC! #GETTING_DATA")
_ROUNDED = re.compile(r"\d(?:\.\d+)?[Ee]\+\d{1,3}")  # 4.40101E+17, as a text file keeps what the screen showed
CHINESE_NAME = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af·•\s]+")
_IDENTITY_INSIDE = re.compile(r"(?<!\d)(?:[1-8]\d{16}[\dXx]|[1-8]\d{14})(?!\d)")


def clean(text: str) -> str | None:
    """NFC, any white space as one blank, nothing invisible, no blanks around; None where control characters or lone surrogates stand."""
    if text.isascii():
        if text.isprintable():
            return text.strip() if "  " not in text else " ".join(text.split())
    else:
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        kept = []
        for mark in text:
            kind = unicodedata.category(mark)
            if mark.isspace() or kind.startswith("Z"):
                kept.append(" ")
            elif kind in ("Cc", "Cs"):
                return None
            elif kind != "Cf":  # directions and zero widths come along with copied text, and make two equal numbers differ
                kept.append(mark)
        text = "".join(kept)
    return " ".join(text.split())


def read_text(cell: Cell, kind: str) -> str | Reason | None:
    """The cell's text, None where it is empty, or why it cannot be taken."""
    if isinstance(cell, str):
        text = clean(cell)
        if text is None:
            return Reason("odd_characters")
    elif abs(cell) >= LOST_DIGITS:
        return Reason("number_lost_digits")
    else:
        text = text_of(cell)
    if not text:
        return None
    if text[0] in "=#'":
        if text[0] == "=":
            return Reason("formula_cell", {"text": text[:60]})
        if text in _ERROR_VALUES:
            return Reason("cell_error", {"text": text})
        if text[0] == "'" and text[1:2] in ("=", "+", "-", "@"):  # the guard that exports put before such a text
            text = text[1:]
    if kind in ("number", "phone", "lot") and _ROUNDED.fullmatch(text):
        return Reason("number_lost_digits")
    if len(text) > 14 and (found := _IDENTITY_INSIDE.search(text)) and is_identity_number(found.group()):
        return Reason("number_is_identity")
    return Reason("too_long", {"limit": LIMITS[kind]}) if len(text) > LIMITS[kind] else text


read_repeated_text = lru_cache(maxsize=8192)(read_text)  # departments, lots, places: few, and on every row


_YEAR_FIRST = re.compile(r"(\d{4})\s*([-/.年])\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*[-/.]\s*(\d{4})")
_NO_YEAR = re.compile(r"(?:\d{1,2}[-/.年])?\d{1,2}[-/.月]\d{1,2}[日号]?|\d{4}[-/.年]\d{1,2}月?")
_TIME = re.compile(r"[T\s]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?$")
_DAY_MONTH = re.compile(r"(\d{1,2})[\s-]([A-Za-z]{3,9})\.?[\s,-]+(\d{4})")
_MONTH_DAY = re.compile(r"([A-Za-z]{3,9})\.?\s(\d{1,2}),?\s(\d{4})")
_MONTHS = tuple(_words(x="january february march april may june july august september october november december"))
_SERIALS = range(7306, 73051)  # 1920 to 2100; below stand ages, years, counts and marks like "1" for yes
_SERIAL_DAY_0 = date(1899, 12, 30)


@lru_cache(maxsize=32768)  # the same few hundred days come again and again
def read_date(cell: Cell) -> date | Reason | None:
    """The date in a cell: year first in any writing, a date cell, a spreadsheet's day number; never a guess between day and month."""
    if not isinstance(cell, str):
        whole = int(cell)
        if whole in _SERIALS:
            return _SERIAL_DAY_0 + timedelta(days=whole)
        if whole == cell and 19000101 <= whole <= 21001231:
            return _day(str(whole), str(whole)[:4], str(whole)[4:6], str(whole)[6:])
        return Reason("date_unreadable", {"text": text_of(cell)[:60]})
    cleaned = clean(cell)
    if cleaned is None:
        return Reason("odd_characters")
    if not cleaned or cleaned.casefold() in NOTHING:
        return None
    if cleaned[0] == "=":
        return Reason("formula_cell", {"text": cleaned[:60]})
    if cleaned in _ERROR_VALUES:
        return Reason("cell_error", {"text": cleaned})
    shown = "" if _IDENTITY_INSIDE.search(cleaned) else cleaned[:60]
    text = _TIME.sub("", unicodedata.normalize("NFKC", cleaned))
    if match := _YEAR_FIRST.fullmatch(text):
        return _day(shown, match[1], match[3], match[4])
    if len(text) == 8 and text.isdecimal() and text[:2] in ("19", "20"):
        return _day(shown, text[:4], text[4:6], text[6:])
    if match := _YEAR_LAST.fullmatch(text):
        first, second = int(match[1]), int(match[3])
        if first <= 12 and second <= 12 and first != second:
            return Reason("date_ambiguous", {"text": shown})
        month, day = (second, first) if first > 12 else (first, second)
        return _day(shown, match[4], str(month), str(day))
    if match := _DAY_MONTH.fullmatch(text):
        return _named_month(shown, match[3], match[2], match[1])
    if match := _MONTH_DAY.fullmatch(text):
        return _named_month(shown, match[3], match[1], match[2])
    return Reason("date_no_year" if _NO_YEAR.fullmatch(text) else "date_unreadable", {"text": shown})


def _named_month(shown: str, year: str, name: str, day: str) -> date | Reason:
    for month, full in enumerate(_MONTHS, 1):
        if full.startswith(name.casefold()) or (full == "september" and name.casefold() == "sept"):
            return _day(shown, year, str(month), day)
    return Reason("date_unreadable", {"text": shown})


def _day(shown: str, year: str, month: str, day: str) -> date | Reason:
    if not 1 <= int(month) <= 12:
        return Reason("no_such_month", {"text": shown, "month": int(month)})
    try:
        on = date(int(year), int(month), int(day))
    except ValueError:
        return Reason("no_such_day", {"text": shown})
    return on if on >= EARLIEST_ON else Reason("date_impossible", {"on": on.isoformat()})


CHINESE_MOBILE = re.compile(r"1(?:[38]\d|4[57]|5[0-35-9]|6[25-7]|7[0-35-8]|9[0-35-9])\d{8}", re.ASCII)


def read_phone(text: str, region: str = "CN") -> str | None:
    """E.164; None where no such number can exist. The common case goes without the library: it takes 50 µs a number."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").replace("-", "")
    if region == "CN" and CHINESE_MOBILE.fullmatch(plain):
        return "+86" + plain
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(number) else None


_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}", re.ASCII)


def read_email(text: str) -> str | None:
    """The address, its domain in small letters; None where there is none. Names beside it and quoted parts are not taken."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if len(plain) > LIMITS["email"] or not _EMAIL.fullmatch(plain):
        return None
    local, _, domain = plain.rpartition("@")
    labels = domain.lower().split(".")
    if len(local) > 64 or any(len(label) > 63 or label[0] == "-" or label[-1] == "-" for label in labels):
        return None
    return f"{local}@{'.'.join(labels)}"


def _short(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(maxsize=1024)
def read_employment(text: str) -> str | None:
    """One of the five kinds of employment."""
    return _EMPLOYMENTS.get(_short(text))


@lru_cache(maxsize=4096)
def read_product(text: str) -> str | Reason:
    """The code of the product, or why it is not known, with the one that may be meant."""
    if product := recognise(text, COVID19):
        return product.code
    if likely := suggestions(text, COVID19):
        names = likely[0].names
        return Reason(
            "product_unknown_suggestion",
            {"text": text[:60], "suggestion": names["en"], "suggestion_zh": names["zh-Hans"], "product": likely[0].code},
        )
    return Reason("product_unknown", {"text": text[:60]})


@lru_cache(maxsize=1024)
def read_status(text: str) -> str:
    """`not_started`, `declined`, `elsewhere` (statements of the person), `exempt`, `done`, or `` where it says nothing known."""
    short = _short(text)
    if short in _NOT_STARTED:
        return "not_started"
    if short in _ELSEWHERE:
        return "elsewhere"
    if _DECLINED.search(short):
        return "declined"
    if _EXEMPT.search(short):
        return "exempt"
    return "done" if _DONE.search(short) and not short.startswith(("未", "没", "not", "un")) else ""
