"""The demo holds what it says, asked through its one address: teams, points, shifts, duties, orders; and plays on with its clock."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from infra.folder import free_port
from infra.reference import deployment as plan
from infra.wish import PROJECT

READY_SECONDS = 150
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The API of a demo that stands where it stands by itself."""
    folder = tmp_path_factory.mktemp("demo")
    port = free_port()
    env = {"PATH": os.environ["PATH"], "PORT": str(port), "DATA": str(folder / "data"), "PYTHONWARNINGS": "ignore"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "infra.local", "demo"], cwd=PROJECT, env=env, stdout=log, stderr=log)
    try:
        until(lambda: "\nready " in (folder / "log").read_text() or process.poll() is not None, READY_SECONDS)
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False, timeout=20) as http:
            yield http
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert process.returncode == 0


def until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds; fail when it does not within the time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.05)


class Part:
    """The API as one of the cast meets it."""

    def __init__(self, demo: httpx.Client, role: str) -> None:
        cast = [*demo.get("/identity/demo/cast").json()["items"], *demo.get("/dispatch/demo/cast").json()["items"]]
        person_id = next(one["person_id"] for one in cast if one["role"] == role)
        secret = demo.post("/identity/demo/sessions", json={"person_id": person_id}).json()["secret"]
        self._demo, self._headers = demo, {"authorization": f"Session {secret}"}

    def get(self, path: str, **query: Any) -> Any:
        """What stands there."""
        answer = self._demo.get(path, params=query, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


def board(coordinator: Part, day: int) -> dict[str, Any]:
    """What the board sums up for a day of August."""
    operation = coordinator.get("/dispatch/operations")["items"][0]
    totals: dict[str, Any] = coordinator.get(f"/dispatch/operations/{operation['id']}/board", on=f"2021-08-0{day}")["totals"]
    return totals


def test_57_are_in_the_teams_of_the_points_and_20_stand_by(demo: httpx.Client) -> None:
    teams = {one["name"]: one for one in Part(demo, "coordinator").get("/dispatch/teams")["items"]}

    assert {name: one["member_count"] for name, one in teams.items()} == {plan.WORK_TEAM: 42, plan.SHOCK_TEAM: 15, plan.FLOOD_TEAM: 20}
    assert teams[plan.WORK_TEAM]["leader"]["name"] == plan.WORK_TEAM_LEADER


def test_six_points_have_54_shifts_and_what_has_not_come_yet_is_planned_only(demo: httpx.Client) -> None:
    coordinator = Part(demo, "coordinator")
    operation = coordinator.get("/dispatch/operations")["items"][0]

    assert (operation["site_count"], operation["shift_count"], operation["state"]) == (6, 54, "open")
    first, second, third = (board(coordinator, day) for day in (4, 5, 6))
    assert (first["checked_out"], first["no_show"], first["confirmed"]) == (53, 1, 0)
    assert (second["checked_in"], second["no_show"], second["late"], second["checked_out"]) == (16, 1, 1, 0)
    assert (third["confirmed"], third["proposed"], third["open_place_count"], third["checked_in"]) == (50, 3, 1, 0)
    assert first["samples"] > second["samples"] > third["samples"] == 0
    assert {one["because"] for one in coordinator.get("/dispatch/alerts")["items"]} == {"declined"}


def test_one_order_is_nearly_complete_and_of_the_other_some_were_late_and_some_are_missing(demo: httpx.Client) -> None:
    second, first = (one["totals"] for one in Part(demo, "leader").get("/notifications/notices")["items"])

    assert (first["told_count"], first["read_count"], first["by_head_count"], first["missing_count"]) == (120, 85, 33, 2)
    assert (second["read_count"], second["late_count"], second["missing_count"]) == (101, 6, 19)


def test_two_weeks_are_published_the_next_is_a_draft_with_gaps_and_the_officer_has_the_rights(demo: httpx.Client) -> None:
    planner, officer = Part(demo, "duty_planner"), Part(demo, "duty_officer")
    weeks = [planner.get(f"/duty/rosters/{monday}") for monday in ("2021-08-02", "2021-08-09", "2021-08-16")]

    assert [(one["state"], one["gap_count"]) for one in weeks] == [("published", 0), ("published", 0), ("draft", 11)]
    assert [one["problem_count"] for one in weeks] == [0, 0, 0]
    assert len(planner.get("/duty/now")["items"]) == 6
    assert board(officer, 5)["head_count"] == 54


def test_a_volunteer_sees_where_to_go_next_and_a_shift_leader_leads(demo: httpx.Client) -> None:
    assert Part(demo, "volunteer").get("/dispatch/assignments/mine")["items"]
    assert Part(demo, "shift_leader").get("/dispatch/teams")["total"] >= 1


def test_when_the_clock_comes_to_the_end_all_8000_samples_are_counted_and_everybody_has_gone_home(demo: httpx.Client) -> None:
    coordinator = Part(demo, "coordinator")

    demo.put("/identity/demo/clock", json={"at": "2021-08-06T22:10:00+08:00"}).raise_for_status()
    until(lambda: sum(board(coordinator, day)["samples"] for day in (4, 5, 6)) == plan.SAMPLES, 60)

    until(lambda: all(board(coordinator, day)["checked_in"] == 0 for day in (4, 5, 6)), 30)
    assert [board(coordinator, day)["no_show"] for day in (4, 5, 6)] == [1, 1, 1]
    assert [board(coordinator, day)["checked_out"] for day in (4, 5)] == [53, 52]
