"""What the reading of a staff list has to say, in English; the pages translate by code, and fill in the same params."""

from collections.abc import Mapping
from typing import Any

FILE: Mapping[str, str] = {
    "not_a_sheet": "This is not a spreadsheet. XLSX, XLS, ODS and CSV files can be read.",
    "web_page": "This file is a web page that is only called a spreadsheet. Open it in a spreadsheet program and save it as XLSX.",
    "too_large": "This file is too large to be read, often because of a stray cell far from the list. Copy the list alone into a new file.",
    "too_many_rows": "The sheet has more than {limit} rows. Split it into several files.",
    "too_many_columns": "The sheet has more than {limit} columns. Copy the list alone into a new file.",
    "encrypted": "The file is protected with a password. Save it without one.",
    "damaged": "The file is damaged and cannot be read. Open it in a spreadsheet program, save it again and bring that.",
    "empty_sheet": "Nothing stands in this file.",
    "took_too_long": "Reading this file took too long. Copy the list alone into a new file.",
    "no_such_sheet": "There is no sheet called {name}.",
    "quotes_wrong": "In row {row} a quotation mark is not closed, or stands where it should not.",
    "wrong_encoding": "The text cannot be read as {encoding}. Save the file as CSV UTF-8, or as XLSX.",
    "no_heading_row": "No row with headings was found. The list needs at least a column with the number and one with the name.",
    "no_number_column": "No column holds the number by which a person is recognised.",
    "no_name_column": "No column holds the name.",
}
COLUMN: Mapping[str, str] = {
    "not_recognised": "This heading is not known; the column is not imported.",
    "no_heading": "This column has no heading; it is not imported.",
    "second_of_field": "An earlier column holds the same; this one is not imported.",
    "identity_number_dropped": "Identity numbers are not kept, and nothing is derived from them, not even a birthday.",
    "identity_by_content": "Identity numbers stand here. They are not kept, and nothing is derived from them, not even a birthday.",
    "which_dose": "The heading does not say which dose is meant; choose one, or the column is not imported.",
    "dose_beyond_third": "Up to three doses are imported; this one is not.",
    "row_counter": "This column only counts the rows; it is not imported.",
    "remarks_not_imported": "Remarks are not imported.",
    "chosen": "Chosen by hand.",
}
ROW: Mapping[str, str] = {
    "no_number": "There is no number.",
    "no_name": "There is no name.",
    "name_wrong": "“{text}” is not a name.",
    "heading_again": "The headings are repeated here; this is no person.",
    "note_row": "This row is a note; it is no person.",
    "sum_row": "This row sums up others; it is no person.",
    "twice_in_file": "The same number stands in row {row} already.",
    "number_lost_digits": "The spreadsheet has rounded this number, and digits are lost. Format the column as text and type it again.",
    "number_is_identity": "An identity number stands here. Identity numbers are not kept.",
    "formula_cell": "“{text}” is a formula, not a value. Put the value there.",
    "cell_error": "A formula failed here: {text}.",
    "odd_characters": "This holds characters that are no text.",
    "too_long": "The text is longer than {limit} characters.",
    "employment_unknown": "The kind of employment “{text}” is not known.",
    "phone_wrong": "“{text}” is not a phone number.",
    "email_wrong": "“{text}” is not an e-mail address.",
    "date_unreadable": "“{text}” is not a date.",
    "date_ambiguous": "“{text}” can be read in two ways. Write year, month, day.",
    "date_no_year": "“{text}” has no full year. Write year, month, day.",
    "no_such_month": "The date says {text}; there is no month {month}.",
    "no_such_day": "The date says {text}; there is no such day.",
    "date_impossible": "{on} is too long ago.",
    "born_in_future": "The date of birth {on} is still to come.",
    "left_before_joined": "Left on {left_on}, before joining on {joined_on}.",
    "dose_in_future": "Dose {ordinal} on {on} is still to come.",
    "dose_too_early": "Dose {ordinal} on {on}: no such vaccine was given yet then.",
    "dose_before_birth": "Dose {ordinal} on {on} is before the birth on {born_on}.",
    "doses_out_of_order": "Dose {second} ({second_on}) is before dose {first} ({first_on}).",
    "doses_same_day": "Dose {first} and dose {second} are on the same day, {on}.",
    "dose_date_missing": "There is a product or a lot for dose {ordinal}, but no date.",
    "product_missing": "There is no product for dose {ordinal}.",
    "product_unknown": "The vaccine “{text}” is not known.",
    "product_unknown_suggestion": "The vaccine “{text}” is not known; perhaps “{suggestion}” is meant.",
    "status_contradicts": "The status says “{text}”, but there are doses.",
}
WARNING: Mapping[str, str] = {
    "earlier_dose_missing": "There is no date for dose {ordinal}; only what stands in the file is recorded.",
    "product_without_dose": "There is a vaccine but no date of a dose; no dose is recorded.",
    "status_without_dose": "The status says “{text}”, but there is no date of a dose; no dose is recorded.",
    "status_not_read": "The status “{text}” is not taken over.",
    "exemption_not_imported": "The status says “{text}”. An exemption needs a certificate and an approval, and is recorded by hand.",
}
SENTENCES: Mapping[str, str] = {**FILE, **COLUMN, **ROW, **WARNING}


def sentence(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The English sentence of a code."""
    return SENTENCES[code].format_map(params or {})
