"""What is too large is refused in our words."""

from tests.doors import Door
from tests.people import HEALTH


async def test_a_body_that_is_too_large_is_refused_in_our_words(personnel: Door) -> None:
    answer = await personnel.post("/doses", {"product": "x" * 1_100_000}, HEALTH)

    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert answer.json()["code"] == "too_large"
