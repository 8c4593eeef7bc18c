"""The streams, and one connection to NATS with the settings the house has tried."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import unquote, urlsplit

import nats
import structlog
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from shared.messaging.subjects import STREAMS

log = structlog.get_logger()

EVENTS = "EVENTS"


def config_of(stream: str) -> StreamConfig:
    """How a stream is kept."""
    return StreamConfig(
        name=stream,
        subjects=[f"{word}.>" for word, name in STREAMS.items() if name == stream],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        max_age=7 * 24 * 3600,
        max_bytes=512 * 1024 * 1024,
        discard=DiscardPolicy.OLD,
        duplicate_window=120,
        num_replicas=1,
    )


async def connect(url: str, name: str, came_back: Callable[[], Awaitable[None]] | None = None) -> Client:
    """A connection that comes back by itself, and then calls `came_back`. A wrong password would hang for ever: bound the first try."""
    parts = urlsplit(url)
    said = ""

    async def complain(error: Exception) -> None:
        nonlocal said
        if (words := str(error) or type(error).__name__) != said:  # it is tried four times a second
            log.warning("nats", error=words)
        said = words

    async def back() -> None:
        nonlocal said
        if said:
            log.info("nats is back")
        said = ""
        if came_back is not None:
            await came_back()

    async def quiet() -> None:
        return None

    callbacks: dict[str, Callable[..., Awaitable[None]]] = {"error_cb": complain, "disconnected_cb": quiet, "reconnected_cb": back}
    return await nats.connect(
        f"{parts.scheme}://{parts.hostname}:{parts.port or 4222}",
        name=name,
        user=unquote(parts.username or "") or None,
        password=unquote(parts.password or "") or None,
        tls=ssl.create_default_context() if parts.scheme == "tls" else None,
        inbox_prefix=f"_INBOX_{name}".encode(),
        allow_reconnect=True,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.25,
        ping_interval=5,
        max_outstanding_pings=2,
        connect_timeout=2,
        **callbacks,
    )


async def connect_within(url: str, name: str, seconds: float = 10) -> Client:
    """Connect, or raise TimeoutError: the server is away or does not know us."""
    return await asyncio.wait_for(connect(url, name), seconds)


async def ensure_stream(js: JetStreamContext, stream: str = EVENTS) -> None:
    """The stream is there, with our settings; made anew when the store was lost."""
    try:
        await js.stream_info(stream)
    except NotFoundError:
        try:
            await js.add_stream(config_of(stream))
        except APIError as odd:
            if odd.err_code != 10058:  # another replica made it with other settings meanwhile
                raise
