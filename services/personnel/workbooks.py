"""Reads the file that was dropped: XLSX, XLS, ODS or CSV become rows of cells, in a child process with limits of its own."""

import json
import os
import signal
import struct
import subprocess
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.personnel.rules.columns import Cell
from services.personnel.workbooks_child import MOST_SECONDS
from shared.refusals import Refused

MOST_BYTES = 30_000_000
ENCODINGS = ("utf-8", "gb18030", "utf-16", "big5")
"""What a person may choose for a CSV file when the preview shows nonsense."""


@dataclass(frozen=True, slots=True, repr=False)  # its repr would hold every row
class Sheet:
    """The rows as in the file, the first one with index 0, blank ones empty; how a text file was read.

    `other_names` are the sheets that were not taken; of these `other_lists` look like staff lists too, which a person has to be told, and
    `others` holds the rows of those that were read all the same, so that another can be chosen without the file.
    """

    name: str
    rows: list[list[Cell]]
    kind: str
    other_names: tuple[str, ...] = ()
    other_lists: tuple[str, ...] = ()
    encoding: str | None = None
    others: Mapping[str, list[list[Cell]]] = field(default_factory=dict)


def read_sheet(data: bytes, file_name: str, *, encoding: str | None = None, sheet_name: str | None = None) -> Sheet:
    """The sheet with the staff list, of the kind its content says. Refused (422) with a code of words.FILE.

    `encoding`: of a text file, when a person chose it. `sheet_name`: the one a person chose; else the one whose headings say most.
    """
    if len(data) > MOST_BYTES:
        raise Refused("too_large", 422)
    if encoding is not None and encoding not in ENCODINGS:
        raise Refused("wrong_encoding", 422, {"encoding": encoding[:20]})
    wish = json.dumps({"encoding": encoding, "sheet_name": sheet_name, "file_name": file_name[:200]}, ensure_ascii=True).encode()
    # No secrets of ours in the child's environment: it opens what strangers made.
    place = {"PATH": os.environ.get("PATH", ""), "PYTHONUTF8": "1"}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "services.personnel.workbooks_child"],
            input=struct.pack("<I", len(wish)) + wish + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what it says when it breaks may hold names
            env=place,
            cwd=Path(__file__).parents[2],
            timeout=MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused("took_too_long", 422) from None
    if child.returncode != 0:
        raise Refused(_why_it_died(child.returncode), 422)
    return _unpacked(child.stdout)


def _why_it_died(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGALRM):
        return "took_too_long"
    return "too_large" if code in (-signal.SIGABRT, -signal.SIGKILL) else "damaged"  # memory that is not there makes calamine abort


def _unpacked(told: bytes) -> Sheet:
    """JSON and an array, not pickle: whoever takes over the child must not get further."""
    (length,) = struct.unpack_from("<I", told)
    head = json.loads(told[4 : 4 + length])
    if "refused" in head:
        raise Refused(head["refused"], 422, head["params"])
    numbers = array("I")
    numbers.frombytes(told[4 + length :])
    sheets: list[list[list[Cell]]] = []
    at = 0
    for sheet in (head, *head["others"]):
        value, rows = sheet["values"].__getitem__, []
        for width in sheet["widths"]:
            rows.append(list(map(value, numbers[at : at + width])))
            at += width
        sheets.append(rows)
    others = {sheet["name"]: rows for sheet, rows in zip(head["others"], sheets[1:], strict=True)}
    names = tuple(head["other_names"]), tuple(head["other_lists"])
    return Sheet(head["name"], sheets[0], head["kind"], *names, head["encoding"], others)
