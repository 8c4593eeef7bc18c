"""What parent and child say to each other through pipes: data by channel, and words as JSON; no pickle, whoever takes over the child."""

import json
import struct
from collections.abc import Mapping
from typing import IO, Any

HEAD = struct.Struct("<BI")
WORDS = 0
MOST_BYTES = 1 << 18  # of one frame


def framed(channel: int, data: bytes | memoryview) -> bytes:
    """One frame."""
    return HEAD.pack(channel, len(data)) + data


def words(said: Mapping[str, Any]) -> bytes:
    """A frame of words; a lone surrogate stays an escape."""
    return framed(WORDS, json.dumps(said, ensure_ascii=True, allow_nan=False).encode())


class Ends:
    """The child's two ends of the pipes."""

    def __init__(self, read: IO[bytes], write: IO[bytes]) -> None:
        self.read, self.write = read, write

    def hear(self) -> tuple[dict[str, Any], dict[int, bytearray]]:
        """Everything until the parent's next words: (words, data by channel)."""
        data: dict[int, bytearray] = {}
        while True:
            head = self.read.read(HEAD.size)
            if len(head) < HEAD.size:
                raise EOFError
            channel, length = HEAD.unpack(head)
            body = self.read.read(length)
            if channel == WORDS:
                found: dict[str, Any] = json.loads(body)
                return found, data
            data.setdefault(channel, bytearray()).extend(body)

    def tell(self, **said: Any) -> None:
        """Words, and with them the turn is the parent's."""
        self.write.write(words(said))
        self.write.flush()

    def send(self, channel: int, data: bytes) -> None:
        """Data of a channel, in frames."""
        view = memoryview(data)
        for start in range(0, len(view), MOST_BYTES):
            self.write.write(framed(channel, view[start : start + MOST_BYTES]))


class Lines:
    """Lines of one channel, gathered until a frame is full."""

    def __init__(self, ends: Ends, channel: int) -> None:
        self.ends, self.channel = ends, channel
        self.gathered: list[str] = []
        self.length = 0

    def add(self, line: str) -> None:
        """One more line."""
        self.gathered.append(line)
        self.length += len(line)
        if self.length > MOST_BYTES // 4:
            self.flush()

    def flush(self) -> None:
        """What is left goes as well."""
        if self.gathered:
            self.ends.send(self.channel, "".join(self.gathered).encode())
            self.gathered, self.length = [], 0
