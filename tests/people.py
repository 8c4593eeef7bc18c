"""The cast of the tests: a small institution with one person for each role, as rows to create and as callers to act."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import NAMESPACE_DNS, UUID, uuid5

from shared.auth import Caller

NOW = datetime.fromisoformat("2021-08-04T07:40:00+08:00")  # where the tests stand
TODAY = NOW.date()


def id_of(word: str) -> UUID:
    """The same id for the same word in every test."""
    return uuid5(NAMESPACE_DNS, f"{word}.muster.example")


@dataclass(frozen=True)
class Department:
    """A department of the tests."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Person:
    """A person of the tests, as the staff list would have it."""

    id: UUID
    number: str
    name: str
    department: Department
    employment: str = "permanent"
    phone: str = "19900000001"
    born_on: date = date(1985, 5, 17)
    joined_on: date = date(2012, 3, 1)


TEACHING = Department(id_of("teaching"), "教务处")
LOGISTICS = Department(id_of("logistics"), "后勤服务中心")
PERSONNEL = Department(id_of("personnel"), "组织人事处")
OFFICE = Department(id_of("office"), "办公室")
DEPARTMENTS = (TEACHING, LOGISTICS, PERSONNEL, OFFICE)

HE_RUONING = Person(id_of("he-ruoning"), "20150115", "何若宁", PERSONNEL, phone="19900000115")
LU_ZHIYAO = Person(id_of("lu-zhiyao"), "20180116", "陆知遥", PERSONNEL, phone="19900000116")
FU_XINGJIAN = Person(id_of("fu-xingjian"), "20040104", "傅行简", OFFICE, phone="19900000104")
ZHONG_YIFAN = Person(id_of("zhong-yifan"), "20040169", "钟亦凡", OFFICE, phone="19900000169")
SHEN_ZHIXING = Person(id_of("shen-zhixing"), "20110124", "沈知行", TEACHING, phone="19900000124")
FANG_JIBAI = Person(id_of("fang-jibai"), "20160125", "方既白", TEACHING, phone="19900000125")
JIANG_CAIWEI = Person(id_of("jiang-caiwei"), "20140312", "江采薇", TEACHING, phone="19900000312")
LIANG_YUAN = Person(id_of("liang-yuan"), "20020126", "梁予安", TEACHING, phone="19900000126")
TANG_YINAN = Person(id_of("tang-yinan"), "20020185", "唐以南", LOGISTICS, phone="19900000185")
PAN_XIANGYE = Person(id_of("pan-xiangye"), "20180190", "潘向野", LOGISTICS, employment="agency", phone="19900000190")
GU_CHANGTING = Person(id_of("gu-changting"), "20200189", "顾长亭", LOGISTICS, employment="contract", phone="19900000189")
PEOPLE = (
    HE_RUONING,
    LU_ZHIYAO,
    FU_XINGJIAN,
    ZHONG_YIFAN,
    SHEN_ZHIXING,
    FANG_JIBAI,
    JIANG_CAIWEI,
    LIANG_YUAN,
    TANG_YINAN,
    PAN_XIANGYE,
    GU_CHANGTING,
)


def caller(person: Person, *roles: str, departments: tuple[Department, ...] = ()) -> Caller:
    """The person, signed in, with these roles beside those that everyone has."""
    return Caller(
        kind="person",
        account_id=id_of(f"account-{person.number}"),
        person_id=person.id,
        session_id=id_of(f"session-{person.number}"),
        name=person.name,
        roles=frozenset({"everyone", *roles}),
        departments=frozenset(department.id for department in departments if "head" in roles),
        reported=frozenset(department.id for department in departments if "reporter" in roles),
    )


def client(name: str, *scopes: str) -> Caller:
    """An external system with these scopes."""
    return Caller(kind="client", client_id=id_of(f"client-{name}"), name=name, scopes=frozenset(scopes))


HEALTH = caller(HE_RUONING, "health")
SECOND_HEALTH = caller(LU_ZHIYAO, "health")
LEADER = caller(FU_XINGJIAN, "leader")
ADMINISTRATOR = caller(ZHONG_YIFAN, "administrator")
HEAD = caller(SHEN_ZHIXING, "head", departments=(TEACHING,))
REPORTER = caller(FANG_JIBAI, "reporter", departments=(TEACHING,))
STAFF = caller(LIANG_YUAN)
OTHER_HEAD = caller(TANG_YINAN, "head", departments=(LOGISTICS,))
AGENCY_WORKER = caller(PAN_XIANGYE)
RECORDS_SYSTEM = client("records", "people:read", "vaccination:write")
COORDINATOR = caller(FANG_JIBAI, "coordinator")
DUTY_PLANNER = caller(ZHONG_YIFAN, "duty_planner")
