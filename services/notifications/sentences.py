"""The English sentence of each code that notifications says; pages say it in the reader's language."""

SAID: dict[str, str] = {
    "nobody": "This audience is nobody.",
    "passed_already": "This time has passed already.",
    "too_far_ahead": "This is more than a year ahead.",
    "no_done_asked": "This notice does not ask to say when it is done.",
    "before_deadline": "What is to be done cannot be due before what is to be read.",
    "half_translated": "Give both the English title and the English text, or neither.",
    "ids_missing": "Choose whom this is for.",
    "ids_not_wanted": "Everyone needs no choice.",
    "one_shift": "Choose one shift.",
    "withdrawn": "This notice was withdrawn.",
    "withdrawn_already": "This notice was withdrawn already.",
    "recorded_already": "Somebody recorded this already.",
    "corrected_already": "This record was corrected already.",
    "acknowledged_already": "All of them have acknowledged it already.",
    "never_edited": "What was acknowledged is never edited.",
    "nobody_to_call": "Nobody to call is known for this shift.",
    "address_unreadable": "This is no address that can be called.",
    "address_inside": "An address inside this network is never called.",
    "https_needed": "The address must begin with https://.",
    "too_many_webhooks": "There are as many webhooks as there may be; end one first.",
}
