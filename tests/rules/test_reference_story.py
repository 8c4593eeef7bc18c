"""The story of the reference case holds together before anybody plays it: nobody in two places, 8,000 samples, everybody told once."""

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_OID, uuid4, uuid5

import httpx
import pytest

from infra.reference import cast, history, week
from infra.reference import deployment as plan
from infra.reference.door import Door
from infra.reference.orders import ORDERS
from infra.stage.players import Players
from infra.stage.story import Story
from services.personnel.rules.fitness import fit
from services.personnel.rules.programmes import COVID19, TETANUS
from services.personnel.rules.standing import Given, standing_on, timeline
from shared.rest import Limits, Span, what_forbids

LIMITS = Limits(rest_hours=8, most_hours_in_24=12)
MORNING = datetime(2021, 8, 5, 9, 30, tzinfo=plan.ZONE)


def test_42_and_15_go_to_the_points_20_stand_by_and_nobody_is_in_two_teams_or_on_duty() -> None:
    names = [name for team in plan.teams() for name in team.members]

    assert [len(team.members) for team in plan.teams()] == [42, 15, 20]
    assert len(set(names)) == 77
    assert not set(names) & week.on_duty()
    assert all(cast.person(name) for name in names)


def test_six_points_have_three_shifts_on_three_days_from_eight_to_ten_at_night() -> None:
    shifts = {plan.Shift(on, turn, site) for on in plan.DAYS for turn in range(3) for site in range(len(plan.SITES))}

    assert len(shifts) == 54
    assert {shift.starts_at.strftime("%H:%M") for shift in shifts} == {begin for begin, _ in plan.TIMES}
    for (_, end), (begin, _) in zip(plan.TIMES, plan.TIMES[1:], strict=False):
        assert end == begin
    told = {shift for shift, _ in (*plan.CANNOT_COME, *plan.UNANSWERED, *plan.LATE, *plan.MISSING, *plan.NOT_SEEN_YET)}
    assert told <= shifts


def test_8000_samples_are_taken_in_three_days_and_some_in_every_hour_at_every_point() -> None:
    assert sum(plan.samples().values()) == 8000
    assert len(plan.samples()) == 6 * 3 * 14
    assert min(plan.samples().values()) > 0


def test_whoever_is_on_duty_in_the_published_weeks_is_rested_and_in_one_place() -> None:
    booked: dict[str, list[Span]] = {}
    posts = {post.name: post for post in week.POSTS}
    for monday in week.PUBLISHED:
        for place in week.places(monday):
            post = posts[place.post]
            begins = datetime.combine(place.on, datetime.strptime(post.starts_at_time, "%H:%M").time(), plan.ZONE)
            person = uuid5(NAMESPACE_OID, place.person)
            ends, rest = begins + timedelta(hours=post.hours), post.rest_hours
            span = Span(uuid4(), person, begins, ends, "duty", counted_hours=post.counted_hours, rest_hours=rest)
            booked.setdefault(place.person, []).append(span)

    for name, spans in booked.items():
        assert [reason for span in spans for reason in what_forbids(span, spans, LIMITS)] == [], name


@pytest.mark.parametrize("monday", [*week.PUBLISHED, week.DRAFT])
def test_a_published_week_has_no_gap_and_the_draft_has_some(monday: date) -> None:
    held = Counter(place.post for place in week.places(monday))
    wanted = {post.name: 7 * post.head_count for post in week.POSTS}

    assert (dict(held) == wanted) == (monday != week.DRAFT)
    assert len({(one.post, one.on, one.place) for one in week.places(monday)}) == sum(held.values())


def test_of_the_flood_team_all_but_two_had_tetanus_within_ten_years() -> None:
    doses = plan.tetanus_doses()
    fits = [
        fit(
            "flood_rescue",
            {
                "tetanus": timeline(
                    TETANUS, born_on=None, given=[Given("0", doses[name].product, doses[name].given_on)], exempt=(), statements=()
                )
            },
        )
        for name in plan.teams()[2].members
        if name in doses
    ]

    on = MORNING.date()
    assert len(fits) == 19
    assert sum(one.fit_from is not None and one.fit_from <= on and (one.fit_until is None or on < one.fit_until) for one in fits) == 18


def test_nearly_everybody_of_the_two_teams_is_fit_for_a_testing_point() -> None:
    def standing(name: str) -> str:
        given = [Given(place, dose.product, dose.given_on) for place, dose in enumerate(history.doses_of(cast.person(name)))]
        return standing_on(COVID19, MORNING.date(), born_on=cast.person(name).born_on, given=given, exempt=[], statements=[]).code

    unfit = {name for team in plan.teams()[:2] for name in team.members if standing(name) != "complete"}

    assert unfit == {"俞南溪", "阮知秋", "甘棠"}


def test_each_order_reaches_everybody_once_one_nearly_complete_one_with_people_late_and_missing() -> None:
    first, second = ORDERS
    everybody = {someone.name for someone in cast.people()}
    recorded = {someone.name for someone in cast.people() for one in first.recordings if someone.department == one.department}
    by_head = recorded - set(first.answered) - first.missing

    assert set(first.answered) | by_head | first.missing == everybody
    assert (len(first.answered), len(by_head), len(first.missing)) == (85, 33, 2)
    assert set(second.answered) | second.missing == everybody
    assert len(second.missing) == 19
    assert sum(at > second.deadline_at for at in second.answered.values()) == 6
    assert second.deadline_at == datetime(2021, 8, 5, 10, tzinfo=plan.ZONE)
    assert {*second.done} < {*second.answered}


def test_the_story_is_played_in_order_and_nothing_twice() -> None:
    with httpx.Client() as http:
        stops = Story(Players(Door(http), {})).stops()

    assert [at for at, _ in stops] == sorted({at for at, _ in stops})
    assert stops[0][0] == plan.FORMED_AT
    assert all(things for _, things in stops)
