"""The parent's side: starts the child, gives it its task, keeps what it says in files without a name, ends it whatever happens."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any

import structlog

from services.personnel.importing.frames import HEAD, MOST_BYTES, WORDS, framed, words
from shared.refusals import Refused

log = structlog.get_logger()

MOST_SECONDS = 180
Step = Callable[[int, int], Awaitable[None]]


class Gone(Exception):
    """The child ended without having said why."""


class Child:
    """A child with its task; `files` hold what it sent, by channel, and vanish with the last who has them open."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.files: dict[int, IO[bytes]] = {}

    async def send(self, channel: int, data: bytes) -> None:
        """Data of a channel, in frames; waits while the child is busy."""
        assert self.process.stdin is not None
        view = memoryview(data)
        try:
            for start in range(0, len(view), MOST_BYTES):
                self.process.stdin.write(framed(channel, view[start : start + MOST_BYTES]))
                await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None

    async def tell(self, **said: Any) -> None:
        """Words, and with them the turn is the child's."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(words(said))
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None

    async def hear(self, step: Step | None = None) -> dict[str, Any]:
        """The child's next words; data that come before go into the files. Refused when the child refuses."""
        assert self.process.stdout is not None
        while True:
            try:
                channel, length = HEAD.unpack(await self.process.stdout.readexactly(HEAD.size))
                body = await self.process.stdout.readexactly(length)
            except asyncio.IncompleteReadError:
                raise Gone from None
            if channel != WORDS:
                self.file(channel).write(body)
                continue
            said: dict[str, Any] = json.loads(body)
            if "done" in said:
                if step is not None:
                    await step(said["done"], said["total"])
                continue
            if "refused" in said:
                raise Refused(said["refused"], 422, said["params"])
            if "odd" in said:
                log.warning("the child of an import fell over", error=said["odd"])
                raise Gone
            return said

    def file(self, channel: int) -> IO[bytes]:
        """The file of a channel."""
        if channel not in self.files:
            self.files[channel] = tempfile.TemporaryFile()  # noqa: SIM115  # it ends with the child that fills it
        return self.files[channel]

    def content(self, channel: int) -> bytes:
        """Everything a channel brought."""
        found = self.file(channel)
        found.seek(0)
        return found.read()


@asynccontextmanager
async def child(task: str, seconds: float = MOST_SECONDS) -> AsyncIterator[Child]:
    """A child for a task. It gets none of our secrets: it holds what strangers wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.personnel.importing.child",
        task,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # what it says when it breaks may hold names
        env={"PATH": os.environ.get("PATH", ""), "PYTHONUTF8": "1"},
        cwd=Path(__file__).parents[3],
        limit=2 * MOST_BYTES,
    )
    try:
        async with asyncio.timeout(seconds):
            yield Child(process)
    except TimeoutError:
        raise Refused("took_too_long", 422) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def ask(task: str, data: Mapping[int, bytes], wish: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """One question, one answer: (words, what came on the first channel)."""
    async with child(task, 60) as asked:
        for channel, sent in data.items():
            await asked.send(channel, sent)
        await asked.tell(**wish)
        said = await asked.hear()
        return said, asked.content(1)


async def chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file from its beginning, piece by piece, so that others get their turn."""
    file.seek(0)
    while piece := file.read(MOST_BYTES):
        yield piece
        await asyncio.sleep(0)
