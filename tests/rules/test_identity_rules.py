"""identity's rules: what a password must be, what proves a person, and when a second person is needed."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.keys import ACTIVATION_LENGTH, ALPHABET, new_api_key, new_code, new_key_id, read_api_key, read_code
from services.identity.rules import (
    PASSWORD_MIN,
    Party,
    code_waits,
    has_left,
    proves,
    role_waits,
    scopes_wait,
    session_ends,
    what_forbids_asking,
    what_forbids_deciding,
    what_forbids_setup_code,
    what_weakens,
)
from shared.policy import HEALTH_ROLES
from shared.refusals import Reason

OWN_WORDS = ["何若宁", "20150115"]
ALL_ROLES = st.frozensets(st.sampled_from(["everyone", "head", "reporter", "health", "leader", "administrator"]))
HEALTH = frozenset({"everyone", "health"})
ADMINISTRATOR = frozenset({"everyone", "administrator"})


def codes(reasons: list[Reason]) -> list[str]:
    return [reason.code for reason in reasons]


@pytest.mark.parametrize("password", ["four hills and a river", "渡口七点钟开第一班船", "Tr0mbone&Lilac", "correct horse"])
def test_a_long_password_that_is_nobodys_word_will_do(password: str) -> None:
    assert what_weakens(password, OWN_WORDS) == []


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("river", "password_short"),
        ("一二三四五六七八九", "password_short"),
        ("1234567890", "password_common"),
        ("password123", "password_common"),
        ("abcabcabcabc", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("20150115abc", "password_own_words"),
        ("何若宁何若宁何若宁a", "password_own_words"),
    ],
)
def test_a_weak_password_is_told_why(password: str, why: str) -> None:
    assert why in codes(what_weakens(password, OWN_WORDS))


@given(st.text(max_size=PASSWORD_MIN - 1))
def test_a_short_password_never_does(password: str) -> None:
    assert "password_short" in codes(what_weakens(password, OWN_WORDS))


def test_the_last_four_digits_or_the_staff_number_prove_a_person() -> None:
    assert proves(" 0115 ", "20150115", "0115")
    assert proves("a-7", "A-7", None)

    assert not proves("0116", "20150115", "0115")
    assert not proves("", "20150115", "")
    assert not proves("115", "20150115", "115")


@given(st.text(max_size=12))
def test_without_a_phone_only_the_number_proves(said: str) -> None:
    assert proves(said, "20150115", None) == (said.strip().casefold() == "20150115")


def test_from_the_day_someone_left_on_they_do_not_sign_in() -> None:
    day = date(2021, 8, 4)

    assert has_left(day, day)
    assert not has_left(day + timedelta(days=1), day)
    assert not has_left(None, day)


def test_a_phone_stays_signed_in_for_thirty_days() -> None:
    at = datetime(2021, 8, 4, tzinfo=UTC)

    assert session_ends("phone", at) == at + timedelta(days=30)
    assert session_ends("desk", at) == at + timedelta(days=1)


def test_health_and_leader_wait_for_a_second_person() -> None:
    assert role_waits("health")
    assert role_waits("leader")
    assert not role_waits("administrator")
    assert scopes_wait(["people:read", "vaccination:write"])
    assert scopes_wait(["people:read", "coverage:read"])
    assert not scopes_wait(["people:read", "duty:write", "dispatch:read", "notices:write"])


def test_an_administrator_gets_no_code_alone_whoever_it_is_for() -> None:
    administrator = Party(account_id=uuid4(), roles=ADMINISTRATOR)

    for held in ({"everyone"}, {"leader"}, {"health"}, {"administrator"}, set()):
        assert code_waits(administrator, held, has_account=False)


def test_one_who_holds_health_prints_for_everybody_but_second_pairs_of_eyes() -> None:
    keeper = Party(account_id=uuid4(), roles=HEALTH)

    assert not code_waits(keeper, set(), has_account=False)
    assert not code_waits(keeper, set(), has_account=True)
    assert not code_waits(keeper, {"leader"}, has_account=False)
    assert code_waits(keeper, {"leader"}, has_account=True)
    assert code_waits(keeper, {"health"}, has_account=False)
    assert code_waits(keeper, {"administrator"}, has_account=False)


@given(ALL_ROLES, ALL_ROLES)
def test_whoever_does_not_hold_health_has_no_code_alone(asking: frozenset[str], held: frozenset[str]) -> None:
    asker = Party(account_id=uuid4(), roles=asking)

    if "health" not in asking:
        assert code_waits(asker, held, has_account=True)


@given(ALL_ROLES, st.sampled_from(["health", "leader", "administrator"]))
def test_nobody_changes_their_own_roles(roles: frozenset[str], role: str) -> None:
    person_id = uuid4()

    reasons = what_forbids_asking(Party(account_id=uuid4(), person_id=person_id, roles=roles), Party(person_id=person_id), role)

    assert codes(reasons)[0] == "own_roles"


@given(ALL_ROLES, ALL_ROLES)
def test_an_administrator_alone_never_brings_health_about(asking: frozenset[str], deciding: frozenset[str]) -> None:
    asker, decider, gains = (Party(account_id=uuid4(), person_id=uuid4(), roles=r) for r in (asking, deciding, frozenset[str]()))

    forbidden = what_forbids_deciding(decider, asker, gains, HEALTH_ROLES)

    assert bool(forbidden) == ("health" not in deciding)
    assert what_forbids_deciding(asker, asker, gains, HEALTH_ROLES)
    assert what_forbids_deciding(decider, asker, decider, HEALTH_ROLES)


def test_two_accounts_of_one_person_are_one_party() -> None:
    person_id = uuid4()
    one, two = Party(account_id=uuid4(), person_id=person_id, roles=HEALTH), Party(account_id=uuid4(), person_id=person_id, roles=HEALTH)

    assert codes(what_forbids_deciding(two, one, Party(person_id=uuid4()), HEALTH_ROLES)) == ["second_person_needed"]


def test_an_account_without_a_person_is_neither_of_the_two() -> None:
    keeper, somebody = Party(account_id=uuid4(), person_id=uuid4(), roles=HEALTH), Party(person_id=uuid4())
    of_the_setup, other = Party(account_id=uuid4(), roles=HEALTH | ADMINISTRATOR), Party(account_id=uuid4())

    assert codes(what_forbids_deciding(of_the_setup, keeper, somebody, HEALTH_ROLES)) == ["say_who_you_are"]
    assert codes(what_forbids_deciding(keeper, of_the_setup, somebody, HEALTH_ROLES)) == ["asker_without_person"]
    assert codes(what_forbids_deciding(of_the_setup, other, somebody, HEALTH_ROLES)) == ["say_who_you_are", "asker_without_person"]
    assert what_forbids_deciding(keeper, Party(), somebody, HEALTH_ROLES) == []


def test_an_account_without_a_person_is_given_nothing_that_takes_two() -> None:
    administrator = Party(account_id=uuid4(), person_id=uuid4(), roles=ADMINISTRATOR)

    assert codes(what_forbids_asking(administrator, Party(account_id=uuid4()), "leader")) == ["account_without_person"]
    assert what_forbids_asking(administrator, Party(account_id=uuid4()), "administrator") == []


def test_the_setup_code_stands_in_only_while_nobody_holds_health_and_never_for_an_administrator() -> None:
    somebody = Party(person_id=uuid4())

    assert what_forbids_setup_code(True, False, somebody) == []
    assert codes(what_forbids_setup_code(False, False, somebody)) == ["setup_code_wrong"]
    assert codes(what_forbids_setup_code(True, True, somebody)) == ["second_person_needed"]
    assert codes(what_forbids_setup_code(True, False, Party(person_id=uuid4(), roles=ADMINISTRATOR))) == ["not_for_administrator"]


def test_a_code_is_read_however_it_is_typed() -> None:
    assert read_code("7k3m9 qxt2w", ACTIVATION_LENGTH) == "7K3M9-QXT2W"
    assert read_code("oil11-00000", ACTIVATION_LENGTH) == "01111-00000"
    assert read_code("7K3M9-QXT2", ACTIVATION_LENGTH) is None
    assert read_code("7K3M9-QXT2U", ACTIVATION_LENGTH) is None


def test_every_code_reads_back_and_has_no_letter_that_looks_like_another() -> None:
    for _ in range(200):
        code = new_code(ACTIVATION_LENGTH)
        assert read_code(code.lower().replace("-", ""), ACTIVATION_LENGTH) == code
    assert not set("ILOU") & set(ALPHABET)


@given(st.text(max_size=80))
def test_what_is_no_key_is_read_as_none(text: str) -> None:
    key_id = new_key_id()
    whole = new_api_key(key_id)

    assert read_api_key(whole) == key_id
    assert read_api_key(text) is None
    assert read_api_key(whole[:-1]) is None
