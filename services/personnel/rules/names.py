"""How names are ordered and found: by their characters, by pinyin, by initials, by number."""

import os
import re
import unicodedata
from functools import lru_cache
from itertools import islice, product

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # 13 MB instead of 65; phrases are no use for names

LONGEST_PIECE = 5
MOST_SPELLINGS = 4

SURNAMES = {
    "单": "shan", "仇": "qiu", "曾": "zeng", "区": "ou", "解": "xie", "查": "zha", "朴": "piao", "任": "ren", "盖": "ge",
    "洗": "xian", "尉": "wei", "乐": "yue", "员": "yun", "逄": "pang", "缪": "miao", "冼": "xian", "覃": "qin",
    "翟": "zhai", "召": "shao", "种": "chong", "燕": "yan", "纪": "ji", "葛": "ge", "华": "hua", "宁": "ning", "哈": "ha",
    "牟": "mou", "那": "na", "能": "nai", "秘": "bi", "瞿": "qu", "石": "shi", "相": "xiang", "幺": "yao", "应": "ying",
    "隗": "wei", "钭": "tou", "折": "she", "黑": "he", "万俟": "moqi", "尉迟": "yuchi", "长孙": "zhangsun", "澹台": "tantai",
    "令狐": "linghu", "宓": "mi", "晟": "cheng", "句": "gou", "祭": "zhai", "卜": "bu", "贾": "jia", "沈": "shen",
    "重": "chong", "夏侯": "xiahou", "皇甫": "huangfu", "宰": "zai", "都": "du", "过": "guo", "会": "gui", "郇": "xun",
    "蕃": "pi", "郗": "xi", "谌": "chen", "褚": "chu", "郝": "hao", "车": "che", "强": "qiang", "晁": "chao",
}  # fmt: skip
"""Surnames that are read otherwise than the word: a reading table would say dan for 单."""

_CHINESE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_NOT_WORD = re.compile(r"[^\w]+")


@lru_cache(maxsize=8192)
def _readings(character: str) -> tuple[str, ...]:
    from pypinyin import Style, pinyin  # 13 MB that no other process shares, so the first Chinese name brings them, in 40 ms

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="default")[0]
    readings = dict.fromkeys(one.replace("ü", "v").lower() for one in found)
    if any("v" in one for one in readings):  # 吕 is typed as lv and as lyu
        readings |= dict.fromkeys(one.replace("v", "yu") for one in tuple(readings))
    return tuple(readings)


def _surname(name: str) -> tuple[int, tuple[str, ...]]:
    for length in (2, 1):
        if (known := SURNAMES.get(name[:length])) and len(name) > length:
            rest = () if length == 2 else tuple(one for one in _readings(name[0]) if one != known)
            return length, (known, *rest)
    return 0, ()


@lru_cache(maxsize=1024)
def spellings(name: str) -> tuple[tuple[str, ...], ...]:
    """The syllables of a name, every likely reading of it, the likeliest first. A name without Chinese characters is one spelling."""
    if not _CHINESE.search(name):
        return (tuple(one for one in _NOT_WORD.split(name.lower()) if one),)
    plain = "".join(one for one in name if not one.isspace())
    taken, first = _surname(plain)
    parts: list[tuple[str, ...]] = [first] if taken else []
    for place, character in enumerate(plain[taken:]):
        readings = _readings(character) if _CHINESE.match(character) else (character.lower(),)
        parts.append(readings if place == 0 and not taken else readings[:1])
    return tuple(islice(product(*parts), MOST_SPELLINGS))


def sort_key(name: str) -> str:
    """The order of names: by pinyin, then by the characters."""
    return " ".join(spellings(name)[0]) + "\x1f" + name if _CHINESE.search(name) else name.casefold()


def findable(name: str, number: str) -> str:
    """Everything by which a person is found, in one line: characters, pinyin run together, initials, number."""
    words = [plain_name(name), plain_name(number)]
    for syllables in spellings(name):
        words += ["".join(syllables), "".join(one[0] for one in syllables if one)]
    return " ".join(dict.fromkeys(words))


def plain_name(text: str) -> str:
    """A name or number as it is compared: NFKC, no spaces, dots or dashes, no case; ü as pinyin is typed, v."""
    return _NOT_WORD.sub("", unicodedata.normalize("NFKC", text)).casefold().replace("ü", "v")


def pieces(name: str, number: str) -> list[str]:
    """The index entries of a person: one- and two-letter pieces of the characters, beginnings of every other way to type the name."""
    found: dict[str, None] = {}
    plain = plain_name(name)
    if _CHINESE.search(plain):
        for start in range(len(plain)):
            found[plain[start]] = found[plain[start : start + 2]] = None
        words = [word for syllables in spellings(name) for word in _ways(syllables)]
    else:
        words = [*_endings(name), "".join(one[0] for one in spellings(name)[0])]
    digits = plain_name(number)
    for word in (*words, *_endings(number), digits[-4:], digits[-6:]):
        for length in range(1, min(len(word), LONGEST_PIECE) + 1):
            found[word[:length]] = None
    return [one for one in found if one]


def _ways(syllables: tuple[str, ...]) -> tuple[str, ...]:
    return "".join(syllables), "".join(one[0] for one in syllables if one), "".join(syllables[1:])


def _endings(text: str) -> tuple[str, ...]:
    """What was typed, from each of its words on: johnsmith, smith."""
    parts = [plain_name(one) for one in _NOT_WORD.split(unicodedata.normalize("NFKC", text))]
    return tuple("".join(parts[start:]) for start in range(len(parts)))


def wanted_pieces(query: str) -> list[str]:
    """The pieces that a search demands; who has them all is looked at once more by `findable`."""
    plain = plain_name(query)
    if not plain:
        return []
    if _CHINESE.search(plain):
        return [plain] if len(plain) == 1 else [plain[start : start + 2] for start in range(len(plain) - 1)]
    return [plain[:LONGEST_PIECE]]
