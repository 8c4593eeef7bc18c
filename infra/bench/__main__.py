"""`make bench`: every figure beside its aim, with its ratio to a bare route in the same run; the last line is JSON."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from infra.bench import story
from infra.bench.ground import Ground
from infra.bench.load import Call, Took, load
from infra.bench.measures import SIDE_BY_SIDE, Players, Result, effects, imports, reads, starts, writes
from infra.bench.system import System
from infra.bench.traffic import traffic
from infra.folder import free_port
from infra.wish import PROJECT

ALONE = ("starts", "traffic")
OF_DEMO = ("writes", "home", "imports", "reads", "shift", "openings", "candidates", "signup", "order", "phones", "board", "effects")
AMONG_ALL = {"shift", "openings", "candidates", "signup", "order", "phones", "board"}
"""Parts that want the large institution, which the part `imports` brings."""


async def floor_of() -> Took:
    """The bare route, under the same server and the same load."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "infra.bench.floor:app", "--port", str(port), "--no-access-log", "--log-level", "error"]
    process = subprocess.Popen(command, cwd=PROJECT)  # noqa: ASYNC220  # nothing else runs in this loop yet
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(200):
                try:
                    await http.get(f"http://127.0.0.1:{port}/")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        await load([Call("GET", f"http://127.0.0.1:{port}/")] * 500, SIDE_BY_SIDE)
        return await load([Call("GET", f"http://127.0.0.1:{port}/")] * 5000, SIDE_BY_SIDE)
    finally:
        process.terminate()
        process.wait()


async def on_the_demo(system: System, parts: set[str], people: int, floor: Took, result: Result) -> None:
    """Everything that wants people to ask for, in this order: what kills servers comes last."""
    async with httpx.AsyncClient(base_url=system.address, trust_env=False, timeout=60) as http:
        players = Players(system, http)
        await players.gather()
        if "writes" in parts:
            await writes(players, floor, result)
        if "home" in parts:
            await story.home(players, floor, result)
        if parts & {"imports", "reads"} | parts & AMONG_ALL:
            await imports(players, people, result)
        if "reads" in parts:
            await reads(players, floor, result)
        if parts & AMONG_ALL:
            await of_the_story(players, parts, floor, result)
        if "effects" in parts:
            await effects(players, result)


async def of_the_story(players: Players, parts: set[str], floor: Took, result: Result) -> None:
    """What is measured among all people and 5,000 volunteers."""
    ground = Ground(players)
    await ground.prepare()
    for name, measure in (("shift", story.shift), ("openings", story.openings), ("candidates", story.candidates), ("signup", story.signup)):
        if name in parts:
            await measure(ground, floor, result)
    for name, alone in (("order", story.order), ("phones", story.phones), ("board", story.board)):
        if name in parts:
            await alone(ground, result)


def main() -> int:
    """Measures all or the named parts, prints a table, and JSON in the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(ALONE + OF_DEMO)}")
    parser.add_argument("--people", type=int, default=50_000)
    wanted = parser.parse_args()
    if unknown := set(wanted.parts) - {*ALONE, *OF_DEMO}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    parts = set(wanted.parts or ALONE + OF_DEMO)
    result = Result()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = Path(name)
        floor = asyncio.run(floor_of())
        result.add(
            "floor",
            "bare FastAPI route",
            f"p95 {floor.p95} ms, {floor.per_second:.0f}/s",
            "-",
            p95_ms=floor.p95,
            per_second=floor.per_second,
        )
        if "starts" in parts:
            starts(folder, result)
        if "traffic" in parts:
            traffic(folder / "traffic", result)
        if parts & set(OF_DEMO):
            system = System(folder / "demo", "demo")
            try:
                system.start()
                asyncio.run(on_the_demo(system, parts, wanted.people, floor, result))
            finally:
                system.stop()
    width = max(len(what) for what, _, _ in result.rows)
    print()
    for what, measured, aim in result.rows:
        print(f"{what:<{width}}  {measured}  (aim {aim})")
    result.figures["seconds"] = round(time.monotonic() - began)
    print(json.dumps(result.figures, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
