"""The 120 people of the reference case: who they are, where they work, and who of them has a part in the story."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random

from infra.reference.names import distinct_names

INSTITUTION = "澜江学院"
ON = date(2021, 8, 4)

EMPLOYMENTS = {"permanent": "在编", "agency": "派遣", "contract": "聘用", "trainee": "学员", "volunteer": "志愿者"}


@dataclass(frozen=True)
class Department:
    """A department and the names of its head 负责人, its reporter 联络员 and the deputy."""

    name: str
    people_count: int
    head: str
    reporter: str
    deputy: str


@dataclass(frozen=True)
class Person:
    """A line of the staff list; `born_on` is missing where the list has no birth date."""

    number: str
    name: str
    department: str
    employment: str
    born_on: date | None
    phone: str
    joined_on: date


DEPARTMENTS = (
    Department("办公室", 14, "郭砚秋", "何牧歌", "许闻川"),
    Department("组织人事处", 9, "何若宁", "何若宁", "陆知遥"),
    Department("教务处", 17, "沈知行", "方既白", "江采薇"),
    Department("科研处", 12, "秦望舒", "秦望舒", "程牧野"),
    Department("学员管理处", 15, "卫南枝", "时清和", "贺兰舟"),
    Department("信息网络中心", 8, "罗景澄", "罗景澄", "白予墨"),
    Department("财务处", 10, "方霁月", "方霁月", "姜晚晴"),
    Department("后勤服务中心", 24, "唐以南", "任清越", "霍青山"),
    Department("图书馆", 11, "叶停云", "宋时雨", "黎书宁"),
)

# Whose employment is not the usual one of the department, and whoever the story needs beside heads, reporters and deputies.
PARTS = {
    "办公室": {"傅行简": "permanent"},
    "组织人事处": {},
    "教务处": {"梁予安": "permanent", "俞南溪": "permanent", "阮知秋": "contract", "丁一帆": "permanent"},
    "科研处": {"柳映川": "permanent", "韦长庚": "permanent"},
    "学员管理处": {"庄晓梦": "trainee", "陶一鸣": "trainee", "甘棠": "trainee"},
    "信息网络中心": {"钟亦凡": "permanent"},
    "财务处": {"殷若棠": "contract"},
    "后勤服务中心": {
        "霍青山": "agency",
        "孟一舟": "agency",
        "顾长亭": "contract",
        "潘向野": "agency",
        "余晓岸": "agency",
        "邱远山": "agency",
        "涂小满": "contract",
        "严松年": "agency",
    },
    "图书馆": {"黎书宁": "permanent", "贝听澜": "volunteer"},
}
# What the remaining people of a department are, in turn.
USUAL = {
    "后勤服务中心": ("agency", "agency", "contract", "agency", "permanent"),
    "学员管理处": ("trainee", "permanent", "trainee", "contract"),
    "图书馆": ("permanent", "contract", "volunteer"),
    "信息网络中心": ("permanent", "contract"),
}
USUALLY = ("permanent", "permanent", "permanent", "contract")

KNOWN_NUMBERS = {"江采薇": "20140312"}
WITHOUT_BIRTH_DATE = frozenset({"韦长庚"})

HEALTH_RECORDS = "何若宁"
SECOND_HEALTH_RECORDS = "陆知遥"
LEADER = "傅行简"
SECOND_LEADER = "秦望舒"
ADMINISTRATOR = "钟亦凡"
REPORTER = "方既白"
HEAD = "唐以南"
STAFF = "梁予安"
DUTY_PLANNER = "柳映川"
COORDINATOR = "丁一帆"


def phone_of(place: int) -> str:
    """A number that libraries accept as one of China's and that is plainly invented: 199 0000 and four figures."""
    return f"1990000{(place * 7919 + 1021) % 10_000:04d}"


@cache
def people() -> tuple[Person, ...]:
    """Everyone on the staff list, department by department, the head first."""
    return tuple(_people())


def person(name: str) -> Person:
    """The one person of that name."""
    return _by_name()[name]


@cache
def _by_name() -> dict[str, Person]:
    return {someone.name: someone for someone in people()}


def _people() -> Iterator[Person]:
    chance = Random(INSTITUTION)
    others = distinct_names(INSTITUTION)
    given = {number[4:] for number in KNOWN_NUMBERS.values()}
    serials = (f"{serial:04d}" for serial in range(101, 10_000) if f"{serial:04d}" not in given)
    place = 0
    for department in DEPARTMENTS:
        for name, employment in _members(department, others):
            place += 1
            joined_on = _joined_on(chance, "head" if name == department.head else employment)
            number = KNOWN_NUMBERS.get(name)
            if number:
                joined_on = joined_on.replace(year=int(number[:4]))
            number = number or f"{joined_on.year}{next(serials)}"
            born_on = _born_on(chance, joined_on)
            yield Person(
                number, name, department.name, employment, None if name in WITHOUT_BIRTH_DATE else born_on, phone_of(place), joined_on
            )


def _members(department: Department, others: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Names and employment of a department: those with a part first, then others until it is full."""
    parts = PARTS[department.name]
    named = list(dict.fromkeys((department.head, department.reporter, department.deputy, *parts)))
    for name in named:
        yield name, parts.get(name, "permanent")
    usual = USUAL.get(department.name, USUALLY)
    for place in range(department.people_count - len(named)):
        yield next(others), usual[place % len(usual)]


def _joined_on(chance: Random, kind: str) -> date:
    if kind == "head":  # a head has been here for ten years
        return date(1998, 7, 1) + timedelta(days=chance.randrange(4500))
    if kind == "trainee":
        return date(2021, 3, 1)
    if kind in ("agency", "volunteer"):
        return date(2018, 1, 2) + timedelta(days=chance.randrange(1200))
    return date(1998, 7, 1) + timedelta(days=chance.randrange(8000))


def _born_on(chance: Random, joined_on: date) -> date:
    """Between 22 and 36 on joining, and not yet at the age of retirement in 2021."""
    born_on = joined_on - timedelta(days=365 * chance.randrange(22, 36) + chance.randrange(365))
    return max(born_on, date(1962, 1, 1) + timedelta(days=chance.randrange(365)))
