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

from infra.bench.load import Call, Took, load
from infra.bench.measures import SIDE_BY_SIDE, Players, Result, effects, imports, reads, starts, writes
from infra.bench.system import System
from infra.bench.traffic import traffic
from infra.folder import free_port
from infra.wish import PROJECT


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


async def on_the_demo(system: System, people: int, floor: Took, result: Result) -> None:
    """Everything that wants people to ask for."""
    async with httpx.AsyncClient(base_url=system.address, trust_env=False, timeout=60) as http:
        players = Players(system, http)
        await players.gather()
        await writes(players, floor, result)
        await imports(players, people, result)
        await reads(players, floor, result)
        await effects(players, result)


def main() -> int:
    """Measures, prints a table, and JSON in the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    wanted = parser.parse_args()
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
        starts(folder, result)
        traffic(folder / "traffic", result)
        system = System(folder / "demo", "demo")
        try:
            system.start()
            asyncio.run(on_the_demo(system, wanted.people, floor, result))
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
