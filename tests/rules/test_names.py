"""Names are found by their characters, by pinyin as people type it, by initials and by number, and stand in the order of pinyin."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.personnel.rules.names import findable, pieces, plain_name, sort_key, spellings, wanted_pieces


def finds(query: str, name: str, number: str = "20140312") -> bool:
    """As the search asks: all pieces are there, and the line holds what was typed."""
    wanted = wanted_pieces(query)
    return bool(wanted) and set(wanted) <= set(pieces(name, number)) and plain_name(query) in findable(name, number)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("单小满", "shan"),
        ("曾国安", "zeng"),
        ("吕方", "lv"),
        ("吕方", "lyu"),
        ("吕方", "lü"),
        ("仇英", "qiu"),
        ("区少卿", "ou"),
        ("解晓东", "xie"),
        ("查良镛", "zha"),
        ("任盈盈", "ren"),
        ("尉迟恭", "yuchi"),
        ("尉迟恭", "yuchigong"),
        ("欧阳修", "ouyang"),
        ("江采薇", "jcw"),
        ("江采薇", "JiangCaiwei"),
        ("江采薇", "caiwei"),
        ("江采薇", "采薇"),
        ("阿依努尔·买买提", "阿依努尔买买提"),
        ("阿依努尔·买买提", "努尔"),
        ("John Smith", "john"),
        ("John Smith", "smith"),
        ("John Smith", "john smith"),
        ("John Smith", "js"),
        ("Zoë O'Brien", "obrien"),
        ("Zoë O'Brien", "zoë"),
        ("Müller", "müller"),
        ("江采薇", "2014"),
        ("江采薇", "0312"),
        ("江采薇", "140312"),
        ("江采薇", "２０１４０３１２"),
    ],
)
def test_a_name_is_found_as_people_type_it(name: str, typed: str) -> None:
    assert finds(typed, name)


@pytest.mark.parametrize(
    ("name", "typed"),
    [("江采薇", "dan"), ("江采薇", "江薇"), ("江采薇", "iang"), ("江采薇", "%"), ("江采薇", "_"), ("江采薇", "."), ("John Smith", "ohn")],
)
def test_what_is_not_the_name_finds_nobody(name: str, typed: str) -> None:
    assert not finds(typed, name)


@pytest.mark.parametrize(
    ("name", "first"), [("单小满", "shan"), ("曾国安", "zeng"), ("尉迟恭", "yuchi"), ("万俟卨", "moqi"), ("吕方", "lv"), ("华山", "hua")]
)
def test_a_surname_is_read_as_a_surname(name: str, first: str) -> None:
    assert spellings(name)[0][0] == first
    assert sort_key(name).startswith(first + " ")


def test_names_stand_in_the_order_of_pinyin() -> None:
    assert sorted(["曾安", "单一", "江采薇", "Adams", "方既白"], key=sort_key) == ["Adams", "方既白", "江采薇", "单一", "曾安"]


def test_a_number_with_signs_is_found_with_and_without_them() -> None:
    for typed in ("A-0017", "a0017", "0017b", "A-0017.B"):
        assert finds(typed, "江采薇", "A-0017.b")


def test_a_one_character_name_is_a_name() -> None:
    assert finds("单", "单")
    assert finds("shan", "单")  # as a family name


HAN = some.text(some.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=6)
LATIN = some.lists(some.text("abcdefghijklmnopqrstuvwxyzABC", min_size=1, max_size=12), min_size=1, max_size=3).map(" ".join)


@given(HAN | LATIN, some.data())
def test_whoever_types_a_name_whole_or_its_beginning_finds_it(name: str, data: some.DataObject) -> None:
    plain = plain_name(name)
    length = data.draw(some.integers(1, len(plain)))

    assert finds(name, name)
    assert finds(plain[:length], name)
    assert finds("".join(spellings(name)[0]), name)


@given(some.text(max_size=60), some.text(max_size=60))
def test_any_text_makes_pieces_and_a_search(name: str, query: str) -> None:
    assert all(1 <= len(one) <= 5 for one in pieces(name, "1"))
    assert all(wanted_pieces(query))
    assert findable(name, "1")
