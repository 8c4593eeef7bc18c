"""Numbers of a department are told only where they say of nobody whom one knows by name how they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.personnel.rules.small_counts import LEAST_COUNT, LEAST_PEOPLE, may_be_told
from services.personnel.rules.standing import CODES

LARGE = {("due", True): 5, ("unknown", True): 6, ("complete", False): 9, ("exempt", False): 5}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, True),
        ({("declined", False): 0}, True),  # an empty bucket speaks of nobody
        ({("exempt", False): 4}, False),
        ({("declined", False): 1}, False),
        ({("exempt", False): 0, ("complete", False): 40}, False),  # whoever is not on the list of names is complete
        ({("due", True): 0, ("unknown", True): 40}, False),  # whoever is on it is unknown
        ({("due", True): 0, ("unknown", True): 0, ("complete", False): 15}, True),
        ({("unknown", False): 1}, False),  # one below the age stands apart from those of the same bucket who are urged
    ],
)
def test_large_mixed_groups_are_told_and_no_others(change: dict[tuple[str, bool], int], told: bool) -> None:
    assert may_be_told(LARGE | change) is told


@given(some.dictionaries(some.tuples(some.sampled_from(CODES), some.booleans()), some.integers(0, 30)))
def test_nobody_is_alone_in_what_is_told_and_nobody_s_standing_follows_from_their_name(counts: dict[tuple[str, bool], int]) -> None:
    if not may_be_told(counts):
        return
    assert sum(counts.values()) >= LEAST_PEOPLE
    for side in (True, False):
        filled = [count for (_, known), count in counts.items() if known is side and count]
        assert all(LEAST_COUNT <= count < sum(filled) for count in filled)
