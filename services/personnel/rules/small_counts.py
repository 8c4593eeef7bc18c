"""May how many stand how be told to somebody who knows some of them by name? Only where no number speaks of anybody."""

from collections.abc import Mapping

LEAST_PEOPLE = 20  # below it everybody knows who is meant, and one person more or less is read off the numbers
LEAST_COUNT = 5  # the least that statistics on health are commonly published with; of four one can often guess all
LEAST_KINDS = 2  # were all of a group in one bucket, however large, the bucket would say how each of them stands


def may_be_told(counts: Mapping[tuple[str, bool], int]) -> bool:
    """`counts` are people by how they stand and by whether they are known by name: enough people, enough in each, and of those who are
    known by name as of the others more than one kind."""
    filled = {key: count for key, count in counts.items() if count}
    if sum(filled.values()) < LEAST_PEOPLE or any(count < LEAST_COUNT for count in filled.values()):
        return False
    kinds = [{code for code, known in filled if known is side} for side in (True, False)]
    return all(not one or len(one) >= LEAST_KINDS for one in kinds)
