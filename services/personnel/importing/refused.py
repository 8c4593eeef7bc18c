"""The file of refused rows: the headings, the rows as they were, and beside each what is wrong, to be mended and uploaded again."""

import json
from collections.abc import Iterator

from services.personnel.importing.cells import unpack
from services.personnel.importing.copied import fields
from services.personnel.importing.frames import Ends
from services.personnel.rules.columns import headings_at
from services.personnel.rules.import_words import HEADINGS, what_is_wrong
from shared.export import Table, Value, xlsx


def write(ends: Ends) -> None:
    """Channel 1 brings the cells, channel 2 the refused rows (number, errors); back goes the workbook."""
    wish, data = ends.hear()
    rows = unpack(bytes(data.pop(1)))
    language, heading_row = wish["language"], wish["heading_row"]
    headings = headings_at(rows, heading_row)
    lines = data.pop(2, bytearray()).decode().split("\n")[:-1]
    width = max([len(headings), *(len(row) for row in rows[heading_row:])])
    word, sheet = HEADINGS[language]

    def told() -> Iterator[list[Value]]:
        for text in lines:
            row_no, errors = fields(text)
            cells = rows[int(row_no or 0) - 1]
            yield [*cells, *[None] * (width - len(cells)), what_is_wrong(int(row_no or 0), json.loads(errors or "[]"), language)]

    table = Table(sheet, [*headings, *[""] * (width - len(headings)), word], told())
    ends.send(1, xlsx(table))
    ends.tell(count=len(lines))
