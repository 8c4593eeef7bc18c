"""The duties of the reference case: five posts, and who holds them from 2 August 2021 on, in turn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType

from infra.reference import cast

PUBLISHED_AT = datetime.fromisoformat("2021-07-30T16:30:00+08:00")
PUBLISHED = (date(2021, 8, 2), date(2021, 8, 9))
DRAFT = date(2021, 8, 16)
FIRST_DAY = PUBLISHED[0]


@dataclass(frozen=True)
class Post:
    """A post and those who hold it in turn; `pool_department` where everybody of a department may, else these people alone."""

    name: str
    starts_at_time: str
    hours: int
    head_count: int
    people: tuple[str, ...]
    counted_hours: int | None = None
    rest_hours: int | None = None
    gives_rights: bool = False
    pool_department: str | None = None


LEADERS = (cast.LEADER, cast.SECOND_LEADER, "郭砚秋", "沈知行", "卫南枝", "罗景澄", "方霁月")
OFFICERS = ("许闻川", "何牧歌", "程牧野", "贺兰舟", "时清和", "白予墨", "姜晚晴", "宋时雨")
OFFICE = ("米思无", "和乐只", "祁新荷", "狄淇奥")
GENERAL_AFFAIRS = ("任清越", "伍云帆", "康知夏", "戴晚棠")
GATE = ("霍青山", "屈既明", "孟斯年", "聂长风", "翟允执", "史致远")

POSTS = (
    Post("带班领导", "08:00", 24, 1, LEADERS, counted_hours=8),
    Post("值班员", "08:00", 24, 1, OFFICERS, counted_hours=12, rest_hours=24, gives_rights=True),
    Post("门岗", "07:00", 12, 2, GATE, pool_department="后勤服务中心"),
    Post("办公室值班", "08:00", 10, 1, OFFICE, pool_department="办公室"),
    Post("后勤值班", "08:00", 10, 1, GENERAL_AFFAIRS, pool_department="后勤服务中心"),
)

# Nobody is entered yet for these places of the draft: post -> days of the week, Monday 0.
GAPS: Mapping[str, tuple[int, ...]] = MappingProxyType({"值班员": (5, 6), "门岗": (3, 4, 5, 6), "后勤值班": (6,)})


@dataclass(frozen=True)
class Place:
    """A place of a post on a day, and who holds it."""

    post: str
    on: date
    place: int
    person: str


def places(monday: date) -> Iterator[Place]:
    """Who holds what in a week; in the draft some places are empty."""
    for number in range(7):
        on = monday + timedelta(days=number)
        for post in POSTS:
            if monday == DRAFT and number in GAPS.get(post.name, ()):
                continue
            for place in range(post.head_count):
                turn = (on - FIRST_DAY).days * post.head_count + place
                yield Place(post.name, on, place + 1, post.people[turn % len(post.people)])


def on_duty() -> frozenset[str]:
    """Everybody who holds a post, and so is in no team."""
    return frozenset(name for post in POSTS for name in post.people)
