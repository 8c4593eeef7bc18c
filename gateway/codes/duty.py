"""What duty says: posts, rosters, gaps, calendar links."""

from gateway.i18n import N_

WORDS = {
    # a roster and its places
    "gap": N_("Nobody holds this place."),
    "gaps": N_("Some places are empty. They are marked."),
    "clashes": N_("Some duties cannot be held. They are marked, with the reason."),
    "not_in_pool": N_("May not hold this post."),
    "over": N_("This is over."),
    "published_already": N_("This roster is published already. What is changed now is an amendment."),
    "no_posts": N_("There is no post yet. Add the posts first."),
    "nothing_to_copy": N_("There is nothing in that week to take over."),
    "not_a_monday": N_("A week is named by its Monday."),
    "place_taken": N_("Someone else filled this place in the meantime."),
    "amendment.amended": N_("amended"),
    "amendment.filled": N_("somebody stood in"),
    "amendment.fell_out": N_("cannot come"),
    "amendment.left": N_("has left"),
    "amendment.unavailable": N_("cannot come"),
    "done.post_added": N_("Post added"),
    "done.post_retired": N_("Post retired; published rosters keep it"),
    "done.week_copied": N_("The week before was copied into the empty places"),
    "done.week_published": N_("The week is published, and everybody reads it"),
    "done.amended": N_("The week is amended; it is on record"),
    # a gap
    "filled_already": N_("Someone stands in already."),
    "open_already": N_("This place is open already."),
    "leader_decides": N_("Which posts give the duty officer's rights, and who may hold them, is said by a leader."),
    "nobody_found": N_("Nobody who may hold this post is called so."),
    "several_found": N_("Several people are meant by this. Write the number, or choose one."),
    "done.gap_filled": N_("The place is filled"),
    # calendar links
    "too_many_feeds": N_("There are {limit} links already. End one first."),
    "done.feed_ended": N_("The link is ended; calendars that have it read nothing any more"),
}
