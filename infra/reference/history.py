"""What had been given, put off, declined or never said by 4 August 2021, under the national guideline of March 2021."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from typing import Literal

from infra.reference.cast import INSTITUTION, LEADER, SECOND_HEALTH_RECORDS, SECOND_LEADER, Person, people

PROGRAMME = "covid19"

# Product codes as the programme knows them, and the words of the staff list for them, which no two offices write alike.
BEIJING, WUHAN, SINOVAC, INACTIVATED, CHO, ADENOVIRUS = "bibp", "wibp", "coronavac", "inactivated", "zf2001", "convidecia"
PRODUCTS = {
    BEIJING: "新冠灭活疫苗（Vero细胞）北京生物",
    WUHAN: "新冠灭活（Vero细胞）武汉所",
    SINOVAC: "北京科兴中维",
    INACTIVATED: "新冠灭活（Vero细胞）",
    CHO: "重组新冠疫苗（CHO细胞）智飞龙科马",
    ADENOVIRUS: "重组新冠（5型腺病毒载体）康希诺",
}

PLACES = ("临澜区社区卫生服务中心", "临澜区体育馆接种点", "澜江学院校内接种点", "市第二医院")


@dataclass(frozen=True)
class Dose:
    """One jab as the staff list has it."""

    product: str
    given_on: date
    lot: str
    place: str


@dataclass(frozen=True)
class Correction:
    """What is put right after the staff list was taken over."""

    name: str
    dose: int
    lot: str
    note: str


@dataclass(frozen=True)
class Exemption:
    """A certificate that somebody handed in; without `decided_by` it still waits."""

    name: str
    kind: Literal["temporary", "permanent"]
    from_on: date
    until_on: date | None
    issuer: str
    reason: str
    decided_by: str | None


@dataclass(frozen=True)
class Statement:
    """What a person without a full series said, and when."""

    name: str
    kind: Literal["declined", "not_started", "elsewhere"]
    on: date
    note: str


@dataclass(frozen=True)
class Remark:
    """An error that a person reports in the own record."""

    name: str
    about: str
    text: str


def _given(product: str, *days: str) -> tuple[Dose, ...]:
    return tuple(_dose(product, date.fromisoformat(day), 417 + 10 * nth, 0) for nth, day in enumerate(days))


def _dose(product: str, given_on: date, serial: int, place: int) -> Dose:
    """Lots carry the month before the jab and four figures; no maker writes them so."""
    made = given_on.replace(day=1) - timedelta(days=1)
    return Dose(product, given_on, f"{made:%Y%m}{serial % 10_000:04d}", PLACES[place])


# Who is not like the rest. Intervals: inactivated from 3 weeks on, within 8; CHO from 4 weeks on; adenovirus one dose.
STORIES: Mapping[str, tuple[Dose, ...]] = MappingProxyType(
    {
        # complete, each with something to tell
        "江采薇": (
            Dose(BEIJING, date(2021, 2, 19), "2021010471", PLACES[0]),
            Dose(BEIJING, date(2021, 3, 12), "2021020417", PLACES[0]),
        ),
        # the second came after 10 days and does not count; it was made up for
        "庄晓梦": _given(BEIJING, "2021-04-06", "2021-04-16", "2021-05-11"),
        "陶一鸣": _given(BEIJING, "2021-04-06", "2021-04-22"),  # 16 days: early, yet it counts
        "丁一帆": _given(BEIJING, "2021-03-15", "2021-06-02"),  # 11 weeks: late, yet it counts
        # one of another kind in between, which does not count
        "柳映川": (*_given(BEIJING, "2021-05-12"), *_given(CHO, "2021-06-16"), *_given(BEIJING, "2021-07-21")),
        "程牧野": (*_given(BEIJING, "2021-04-20"), *_given(SINOVAC, "2021-05-18")),  # two makers, one kind: counts
        "韦长庚": _given(BEIJING, "2021-05-10", "2021-06-07"),  # the staff list has no birth date
        # doses missing
        "孟一舟": _given(BEIJING, "2021-07-19"),  # in progress: from 9 August on
        "阮知秋": _given(CHO, "2021-06-21", "2021-07-22"),  # in progress: from 19 August on
        "俞南溪": _given(BEIJING, "2021-06-29"),  # due: since 20 July, until 24 August
        "涂小满": _given(CHO, "2021-07-01"),  # due: since 29 July, until 26 August
        "邱远山": _given(BEIJING, "2021-05-06"),  # overdue: since 2 July
        # nothing given
        "潘向野": (),
        "余晓岸": (),
        "贝听澜": (),
        "顾长亭": (),
        "殷若棠": (),
        "严松年": (),
        "甘棠": (),
    }
)

CORRECTIONS = (Correction("江采薇", 1, "2021010417", "接种凭证上的批号是 2021010417，名册录入时颠倒了末两位。"),)

EXEMPTIONS = (
    Exemption("顾长亭", "temporary", date(2021, 7, 30), date(2021, 10, 31), "市第二医院", "术后恢复期，医嘱暂缓接种。", LEADER),
    Exemption("殷若棠", "permanent", date(2021, 5, 20), None, "市第二医院", "对疫苗成分严重过敏。", SECOND_HEALTH_RECORDS),
    Exemption("江采薇", "temporary", date(2021, 1, 8), date(2021, 2, 7), "市第二医院", "感冒发热，病愈后再种。", SECOND_LEADER),
    Exemption("余晓岸", "temporary", date(2021, 8, 4), date(2021, 9, 30), "临澜区社区卫生服务中心", "慢性病急性发作期。", None),
)

STATEMENTS = (
    Statement("潘向野", "not_started", date(2021, 8, 3), "没有接种，也没有证明。"),
    Statement("余晓岸", "not_started", date(2021, 8, 3), "等医院开证明。"),
    Statement("贝听澜", "not_started", date(2021, 8, 2), "准备八月中旬接种。"),
    Statement("甘棠", "elsewhere", date(2021, 8, 3), "说在原单位打过，接种凭证还没有拿来。"),
    Statement("严松年", "declined", date(2021, 7, 26), "本人表示不愿接种，处室已谈话一次。"),
)

REMARKS = (
    Remark("江采薇", "dose", "我的第 1 剂批号写错了，接种凭证上末四位是 0417。"),
    Remark("梁予安", "dose", "第 2 剂是在校内接种点打的，请核对地点。"),
)


def doses_of(someone: Person) -> tuple[Dose, ...]:
    """The doses the staff list has of a person."""
    story = STORIES.get(someone.name)
    return _usual(someone) if story is None else story


def on_staff_list() -> tuple[tuple[Person, tuple[Dose, ...]], ...]:
    """Every line of the staff list."""
    return tuple((someone, doses_of(someone)) for someone in people())


def _usual(someone: Person) -> tuple[Dose, ...]:
    """A full series: inactivated for most, three doses of CHO for one in nine, one of adenovirus for one in sixteen."""
    chance = Random(f"{INSTITUTION} {someone.number}")
    place = chance.randrange(len(PLACES))
    draw = chance.random()
    if draw < 0.06:
        return (_dose(ADENOVIRUS, date(2021, 4, 26) + timedelta(days=chance.randrange(80)), chance.randrange(9999), place),)
    if draw < 0.17:
        days = [date(2021, 4, 8) + timedelta(days=chance.randrange(30))]
        days += [days[0] + timedelta(days=28 + chance.randrange(8))]
        days += [days[1] + timedelta(days=28 + chance.randrange(15))]
        return tuple(_dose(CHO, day, chance.randrange(9999), place) for day in days)
    first = max(date(2021, 2, 18) + timedelta(days=chance.randrange(110)), someone.joined_on)
    second = first + timedelta(days=21 + chance.randrange(15))
    product = chance.choices((BEIJING, SINOVAC, WUHAN, INACTIVATED), (9, 7, 2, 1))[0]
    return tuple(_dose(product, day, chance.randrange(9999), place) for day in (first, second))
