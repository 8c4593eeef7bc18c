"""A house of two tiny apps under the real supervisor, in a process of its own, so that tests can send signals and kill."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from infra.console import Console
from infra.folder import kept_port
from infra.nats import Nats
from infra.postgres import Postgres
from infra.processes import App, Supervisor

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answers with its pid and name; /crash ends the process, /stream never ends."""
    if scope["type"] == "lifespan":
        await receive()
        print(f"{os.environ['NAME']} says hello", flush=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/crash":
        os._exit(7)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    if scope["path"] == "/stream":
        while True:
            await send({"type": "http.response.body", "body": b".\n", "more_body": True})
            await asyncio.sleep(0.05)
    body = json.dumps({"pid": os.getpid(), "name": os.environ["NAME"], "session": os.getsid(0)}).encode()
    await send({"type": "http.response.body", "body": body})


def main(folder: Path, *, fork: bool) -> None:
    """Prints what a test must know when all is ready, then runs until it is told to stop."""
    console = Console()
    supervisor = Supervisor(console, folder / "processes.json", fork=fork)
    supervisor.listen_to_signals()
    supervisor.end_strays()
    try:
        postgres, nats = Postgres(folder), Nats(folder, {})
        supervisor.serve("postgres", postgres)
        supervisor.serve("nats", nats)
        ports = {name: kept_port(folder, name) for name in ("first", "second")}
        supervisor.begin([App(name, "tests.system.tiny_house:app", "127.0.0.1", port, {"NAME": name}) for name, port in ports.items()])
        if supervisor.until_ready():
            servers = {"postgres": postgres.process, "nats": nats.process}
            pids = {name: process.pid for name, process in servers.items() if process}
            print(json.dumps({**ports, "database": postgres.port, "pids": pids}), flush=True)
        supervisor.run()
    finally:
        supervisor.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), fork=sys.argv[2] == "fork")
