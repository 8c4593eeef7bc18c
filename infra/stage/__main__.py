"""Plays on while the demo runs: whenever its clock has come further, people do what they did until then. The clock is never moved."""

import argparse
import time
from datetime import datetime
from pathlib import Path

import httpx

from infra.folder import CannotStart, write_private
from infra.reference import cast
from infra.reference.door import Door, NotLoaded, all_rows
from infra.stage.players import Players, sign_in
from infra.stage.story import Story

LOOK_EVERY = 2.0


def play_on(url: str, played: Path) -> None:
    """From where it was left, which stands in a file, until the process is ended; while a part cannot be reached it waits."""
    story: Story | None = None
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        while True:
            time.sleep(LOOK_EVERY)
            since = datetime.fromisoformat(played.read_text())
            try:
                story = story or Story(_players(Door(http, lenient=True)))
                upto = story.play_on(since)
            except NotLoaded as away:
                print(f"plays on later: {away}", flush=True)
                story = None
                continue
            if upto > since:
                _keep(played, upto)


def _keep(played: Path, upto: datetime) -> None:
    try:
        write_private(played, upto.isoformat())
    except CannotStart as full:  # what was done is done again then, which the house takes for what it is
        print(f"plays on, and will not remember how far: {full}", flush=True)


def _players(anyone: Door) -> Players:
    shown = anyone.get("/identity/demo/cast")["items"]
    records = next((one["person_id"] for one in shown if one["name"] == cast.HEALTH_RECORDS), None)
    if records is None:
        raise NotLoaded(f"{cast.HEALTH_RECORDS} is not in the cast")
    people = all_rows(sign_in(anyone, records), "/personnel/people")
    return Players(anyone, {row["name"]: row["id"] for row in people})


def main() -> None:
    """The gateway's address, and the file that says until when all was played."""
    asked = argparse.ArgumentParser(prog="python -m infra.stage", description=main.__doc__)
    asked.add_argument("--url", required=True)
    asked.add_argument("--played", required=True, type=Path)
    given = asked.parse_args()
    play_on(given.url, given.played)


if __name__ == "__main__":
    main()
