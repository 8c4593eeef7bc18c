"""The teams of the reference case, and the testing of 4 to 6 August 2021: six points, three shifts a day, 8,000 samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from random import Random
from types import MappingProxyType

from infra.reference import cast, week
from infra.reference.history import PLACES, Dose

ZONE = timezone(timedelta(hours=8))
FORMED_AT = datetime(2021, 8, 3, 15, 0, tzinfo=ZONE)
ANSWERED_AT = datetime(2021, 8, 3, 18, 30, tzinfo=ZONE)
DAYS = (date(2021, 8, 4), date(2021, 8, 5), date(2021, 8, 6))
TIMES = (("08:00", "12:40"), ("12:40", "17:20"), ("17:20", "22:00"))
ROLES = (("信息登记", 2), ("秩序维护", 1))
SAMPLES = 8000
HOURS = range(8, 22)

OPERATION = "林语社区核酸检测支援"
PLACE = "林语社区"
PARTNER = "林语社区居民委员会"
BRING = "工作证、N95 口罩、充电宝、雨衣"
NOTE = "提前十分钟到点位集合，由点位负责人统一领取防护用品；身体不适立即报告，不要勉强上岗。"
REQUIREMENT = "testing_point"
SITES = (
    ("东门采样点", "林语社区东门停车场"),
    ("西门采样点", "林语社区西门广场"),
    ("中心花园采样点", "中心花园风雨廊"),
    ("第三小学采样点", "第三小学体育馆"),
    ("党群服务中心采样点", "党群服务中心一楼大厅"),
    ("滨河路采样点", "滨河路 18 号院内"),
)


@dataclass(frozen=True)
class Team:
    """A standing team, its leader first."""

    name: str
    requirement: str
    members: tuple[str, ...]

    @property
    def leader(self) -> str:
        """Who leads it."""
        return self.members[0]

    @property
    def deputy(self) -> str:
        """Who stands in."""
        return self.members[1]


WORK_TEAM_LEADER, SHOCK_TEAM_LEADER, FLOOD_TEAM_LEADER = "江采薇", "舒明夷", "邵当归"
# Everybody who holds no post and has no other part to play on these days; of a department the last ones stand by for a flood.
STAYS = (cast.HEALTH_RECORDS, cast.SECOND_HEALTH_RECORDS, cast.ADMINISTRATOR, cast.HEAD, cast.REPORTER, "叶停云")
STAYS_TOO = (cast.COORDINATOR, cast.DUTY_PLANNER, "余晓岸", "顾长亭", "殷若棠", "潘向野", "严松年", "明疏影")
WORK_TEAM, SHOCK_TEAM, FLOOD_TEAM = "防疫志愿服务队", "防疫突击队", "防汛抢险队"
SIZES = ((WORK_TEAM, 42), (SHOCK_TEAM, 15), (FLOOD_TEAM, 20))


@cache
def teams() -> tuple[Team, ...]:
    """The teams of 42 and 15, and the 20 who stand by for a flood; nobody is in two of them."""
    leaders = (WORK_TEAM_LEADER, SHOCK_TEAM_LEADER, FLOOD_TEAM_LEADER)
    taken = {*week.on_duty(), *STAYS, *STAYS_TOO, *leaders}
    free = [someone.name for someone in cast.people() if someone.name not in taken]
    strong = [name for name in free if cast.person(name).department in ("后勤服务中心", "图书馆", "财务处")]
    flood = strong[-(SIZES[2][1] - 1) :]
    others = [name for name in free if name not in flood]
    work, shock = others[: SIZES[0][1] - 1], others[SIZES[0][1] - 1 :][: SIZES[1][1] - 1]
    return (
        Team(WORK_TEAM, REQUIREMENT, (WORK_TEAM_LEADER, *work)),
        Team(SHOCK_TEAM, REQUIREMENT, (SHOCK_TEAM_LEADER, *shock)),
        Team(FLOOD_TEAM, "flood_rescue", (FLOOD_TEAM_LEADER, *flood)),
    )


def site_leaders() -> tuple[str, ...]:
    """Who leads at each of the six points: the work team's first six."""
    return teams()[0].members[: len(SITES)]


# Of the flood team: who has no dose of tetanus on record, and whose is older than ten years. Places in the team.
WITHOUT_TETANUS, LAPSED_TETANUS = 7, 12


def tetanus_doses() -> Mapping[str, Dose]:
    """The flood team's doses of tetanus: within ten years for all but two."""
    found = {}
    for place, name in enumerate(teams()[2].members):
        chance = Random(f"tetanus {name}")
        given_on = date(2014, 3, 1) + timedelta(days=chance.randrange(2400))
        if place == LAPSED_TETANUS:
            given_on = date(2009, 5, 18)
        if place != WITHOUT_TETANUS:
            found[name] = Dose("tt", given_on, f"{given_on:%Y%m}{chance.randrange(10_000):04d}", PLACES[chance.randrange(len(PLACES))])
    return MappingProxyType(found)


@dataclass(frozen=True)
class Shift:
    """A shift by its day, its place among the three, and its place among the six points."""

    on: date
    turn: int
    site: int

    @property
    def starts_at(self) -> datetime:
        """When it begins."""
        return datetime.combine(self.on, time.fromisoformat(TIMES[self.turn][0]), ZONE)

    @property
    def ends_at(self) -> datetime:
        """When it ends."""
        return datetime.combine(self.on, time.fromisoformat(TIMES[self.turn][1]), ZONE)


# Who of a shift (place among its people) is not like the rest. The reason is what they said, or what the leader was told.
CANNOT_COME: Mapping[tuple[Shift, int], str] = MappingProxyType(
    {
        (Shift(DAYS[0], 1, 3), 1): "孩子发烧，要在家照看。",
        (Shift(DAYS[1], 1, 2), 0): "下午要参加防汛值守会议。",
        (Shift(DAYS[2], 0, 4), 2): "腰伤复发，医生建议休息。",
    }
)
UNANSWERED = frozenset({(Shift(DAYS[1], 2, 5), 1), (Shift(DAYS[2], 1, 1), 0), (Shift(DAYS[2], 2, 3), 2), (Shift(DAYS[2], 2, 0), 1)})
LATE: Mapping[tuple[Shift, int], int] = MappingProxyType(  # minutes
    {
        (Shift(DAYS[0], 0, 1), 2): 14,
        (Shift(DAYS[0], 2, 4), 0): 9,
        (Shift(DAYS[1], 0, 2), 1): 17,
        (Shift(DAYS[1], 0, 5), 0): 6,
        (Shift(DAYS[1], 1, 0), 1): 11,
        (Shift(DAYS[2], 0, 3), 0): 22,
    }
)
MISSING: Mapping[tuple[Shift, int], str] = MappingProxyType(
    {
        (Shift(DAYS[0], 1, 0), 2): "电话未接，事后说记错了日期。",
        (Shift(DAYS[1], 0, 4), 1): "电话未接。",
        (Shift(DAYS[2], 1, 5), 1): "路上车辆故障。",
    }
)
NOT_SEEN_YET = frozenset({(Shift(DAYS[1], 0, 3), 2)})
"""Neither came nor was given up: the board shows them as late."""


@cache
def samples() -> Mapping[tuple[int, date, int], int]:
    """(point, day, hour) -> samples; together 8,000. Mornings and evenings are busy, the heat of the day is not."""
    chance = Random(OPERATION)
    busy = {8: 9, 9: 11, 10: 10, 11: 8, 12: 5, 13: 4, 14: 4, 15: 5, 16: 6, 17: 8, 18: 11, 19: 12, 20: 9, 21: 6}
    weights = {
        (site, on, hour): busy[hour] * chance.uniform(0.8, 1.2) * (1.2, 0.9, 1.0, 1.3, 0.7, 0.9)[site]
        for on in DAYS
        for site in range(len(SITES))
        for hour in HOURS
    }
    whole = sum(weights.values())
    found, before, given = {}, 0.0, 0
    for key, weight in weights.items():
        before += weight
        upto = round(before / whole * SAMPLES)
        found[key], given = upto - given, upto
    return MappingProxyType(found)
