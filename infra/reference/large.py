"""A large institution for benchmarks: any number of people in up to 1,200 departments, the same ones each time."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from infra.reference.cast import EMPLOYMENTS, Person
from infra.reference.history import ADENOVIRUS, BEIJING, CHO, PLACES, SINOVAC, Dose
from infra.reference.names import any_name

DEPARTMENTS_AT_MOST = 1200
_SCHOOLS = """
    文学院 史学院 哲学院 数学院 物理学院 化学院 生命学院 地学院 机电学院 土木学院 水利学院 电气学院 信息学院 软件学院 材料学院
    环境学院 建筑学院 交通学院 农学院 林学院 医学院 药学院 护理学院 法学院 经济学院 管理学院 外语学院 艺术学院 体育学院 继续教育学院
    东校区 西校区 南校区 北校区 研究生院 附属医院 附属中学 出版社 资产公司 基础部"""
_OFFICES = """
    办公室 组织科 人事科 教务科 科研科 学工科 财务科 后勤科 保卫科 图书室 实验中心 网络室 招生科 就业科 工会 团委 档案室 设备科 外事科
    宣传科 一教研室 二教研室 三教研室 四教研室 五教研室 六教研室 七教研室 八教研室 九教研室 十教研室"""
_EMPLOYMENTS = tuple(EMPLOYMENTS)
_SHARES = (55, 15, 15, 12, 3)


def department_names(count: int) -> list[str]:
    """So many different names, at most 1,200."""
    names = [f"{school}{office}" for office in _OFFICES.split() for school in _SCHOOLS.split()]
    return names[: min(count, DEPARTMENTS_AT_MOST)]


def large_list(rows: int, seed: str = "澜江学院") -> Iterator[tuple[Person, tuple[Dose, ...]]]:
    """People with their doses; about 42 in a department, as 50,000 in 1,200 are."""
    chance = Random(seed)
    departments = department_names(max(9, rows // 41))
    for place in range(rows):
        joined_on = date(1998, 7, 1) + timedelta(days=int(chance.random() * 8000))
        someone = Person(
            f"L{place + 1:06d}",
            any_name(chance),
            departments[place % len(departments)],
            chance.choices(_EMPLOYMENTS, _SHARES)[0],
            joined_on - timedelta(days=8100 + int(chance.random() * 4500)),
            f"199{place:08d}",
            joined_on,
        )
        yield someone, tuple(_doses(chance))


def _doses(chance: Random) -> Iterator[Dose]:
    draw = chance.random()
    if draw < 0.03:
        return
    product, needed, interval = (
        (BEIJING, 2, 21) if draw < 0.5 else (SINOVAC, 2, 21) if draw < 0.85 else (CHO, 3, 28) if draw < 0.95 else (ADENOVIRUS, 1, 0)
    )
    given = needed if chance.random() < 0.93 else needed - 1
    given_on = date(2021, 3, 12) + timedelta(days=int(chance.random() * 55))
    place = PLACES[int(chance.random() * len(PLACES))]
    for _ in range(given):
        yield Dose(product, given_on, f"{given_on:%Y%m}{int(chance.random() * 10_000):04d}", place)
        given_on += timedelta(days=interval + int(chance.random() * 14))
