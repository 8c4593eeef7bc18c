"""The English sentence of each code that dispatch says; pages say it in the reader's language."""

SAID: dict[str, str] = {
    "team_name_taken": "There is a team of this name.",
    "site_name_taken": "The operation has a site of this name.",
    "made_already": "The site has a shift of just these times.",
    "shifts_outside": "A day that would be taken away has shifts.",
    "opened_already": "This operation is open already.",
    "cancelled_already": "This shift is cancelled already.",
    "over_already": "This shift is over.",
    "begun_already": "Somebody is there already: only the end of this shift can move.",
    "busy": "Somebody on this shift is being booked elsewhere in this instant; send it again.",
    "corrected_meanwhile": "Somebody entered this hour in the meantime.",
    "overlap": "This time meets another booking.",
    "unavailable": "This person cannot be had at this time.",
    "ends_before_it_begins": "The last day is before the first.",
    "ends_before_start": "A shift ends after it begins.",
    "shift_too_long": "No shift is longer than a day.",
    "outside_operation": "This is not a day of the operation.",
    "too_many_shifts": "So many shifts are made in several steps.",
    "no_shifts": "There are no shifts on this day.",
    "named_twice": "This stands here twice.",
    "in_future": "This hour is yet to come.",
}
