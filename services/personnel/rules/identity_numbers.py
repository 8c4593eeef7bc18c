"""A resident identity number is recognised, so that it is never kept."""

import re
from datetime import date


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PROVINCES = _set("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_EIGHTEEN, _FIFTEEN = re.compile(r"[1-8]\d{16}[\dXx]", re.ASCII), re.compile(r"[1-8]\d{14}", re.ASCII)


def is_identity_number(text: str) -> bool:
    """A resident identity number by GB 11643: 18 characters with a valid check character, or the old 15 digits; with region and date."""
    if len(text) == 18 and _EIGHTEEN.fullmatch(text):
        check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False)) % 11]
        return text[17].upper() == check and has_region_and_day(text[:2], text[6:14])
    return len(text) == 15 and bool(_FIFTEEN.fullmatch(text)) and has_region_and_day(text[:2], "19" + text[6:12])


def has_region_and_day(region: str, day: str) -> bool:
    """The first two digits are a province's, and the eight digits of the birth are a day."""
    try:
        return region in _PROVINCES and date(int(day[:4]), int(day[4:6]), int(day[6:])).year >= 1880
    except ValueError:
        return False
