"""Which stream carries which subjects, and who may tell and hear what lies in it."""

STREAMS = {"event": "EVENTS", "contact": "CONTACTS", "proof": "PROOFS"}
"""The first word of a subject names its stream: events are for everybody, contact addresses for notifications alone, by what somebody
proves who they are for identity alone."""
TELLERS = {"CONTACTS": ("personnel",), "PROOFS": ("personnel",)}
HEARERS = {"CONTACTS": ("notifications",), "PROOFS": ("identity",)}
"""The services that tell into a stream and hear from it; a stream that is not named here is everybody's."""


def stream_of(subject: str) -> str:
    """The stream that carries a subject."""
    return STREAMS[subject.partition(".")[0]]


def told_by(service: str) -> list[str]:
    """The streams into which a service may tell."""
    return [stream for stream in STREAMS.values() if service in TELLERS.get(stream, (service,))]
