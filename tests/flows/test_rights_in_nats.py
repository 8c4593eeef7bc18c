"""Each user of NATS may do what its service needs, and nothing else."""

import pytest
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import Error as JetStreamError

from infra.nats import Nats
from shared.messaging.streams import connect_within, ensure_stream


async def test_a_service_tells_its_own_events_only(nats: Nats) -> None:
    nc = await connect_within(nats.url("identity"), "identity")
    js = nc.jetstream(timeout=1)
    await ensure_stream(js)

    assert (await js.publish("event.identity.roles.changed", b"{}")).seq == 1
    with pytest.raises((NatsTimeout, TimeoutError, JetStreamError)):
        await js.publish("event.personnel.people.changed", b"{}")

    await nc.close()


async def test_a_service_reads_through_its_own_consumers_only(nats: Nats) -> None:
    nc = await connect_within(nats.url("personnel"), "personnel")
    js = nc.jetstream(timeout=1)
    await ensure_stream(js)
    spying = ConsumerConfig(
        name="personnel_spy", durable_name="personnel_spy", filter_subject="event.identity.>", ack_policy=AckPolicy.EXPLICIT
    )

    with pytest.raises((NatsTimeout, TimeoutError, JetStreamError)):
        await js.add_consumer("EVENTS", spying)

    await nc.close()


async def test_the_gateway_hears_and_never_tells(nats: Nats) -> None:
    service = await connect_within(nats.url("identity"), "identity")
    await ensure_stream(service.jetstream(timeout=1))
    gateway = await connect_within(nats.url("gateway"), "gateway")
    heard = await gateway.subscribe("event.>")
    await gateway.flush()

    await service.jetstream(timeout=1).publish("event.identity.roles.changed", b"{}")

    assert (await heard.next_msg(timeout=2)).subject == "event.identity.roles.changed"
    with pytest.raises((NatsTimeout, TimeoutError, JetStreamError)):
        await gateway.jetstream(timeout=1).publish("event.identity.roles.changed", b"{}")
    await gateway.close()
    await service.close()


async def test_the_gateway_does_not_hear_who_is_fit(nats: Nats) -> None:
    service = await connect_within(nats.url("personnel"), "personnel")
    await ensure_stream(service.jetstream(timeout=1))
    gateway = await connect_within(nats.url("gateway"), "gateway")
    heard = await gateway.subscribe("event.>")
    await gateway.flush()

    for subject in ("event.personnel.fitness.changed", "event.personnel.people.changed"):
        await service.jetstream(timeout=1).publish(subject, b"{}")

    assert (await heard.next_msg(timeout=2)).subject == "event.personnel.people.changed"
    await gateway.close()
    await service.close()


CONTACT = "contact.personnel.contacts.changed"


PROOF = "proof.personnel.proofs.changed"
READERS = {
    CONTACT: ("CONTACTS", "notifications_known_remember_contacts"),
    PROOF: ("PROOFS", "identity_known_remember_proofs"),
}


@pytest.mark.parametrize(
    ("kept", "spy"),
    [(CONTACT, spy) for spy in ("identity", "duty", "dispatch", "gateway")]
    + [(PROOF, spy) for spy in ("notifications", "duty", "dispatch", "gateway")],
)
async def test_what_is_known_of_a_phone_is_heard_by_the_one_service_it_is_told_to(nats: Nats, kept: str, spy: str) -> None:
    stream, reader = READERS[kept]
    personnel = await connect_within(nats.url("personnel"), "personnel")
    told = personnel.jetstream(timeout=1)
    await ensure_stream(told, stream)
    nc = await connect_within(nats.url(spy), spy)
    js = nc.jetstream(timeout=1)
    listening = await nc.subscribe(kept)
    for name in (f"{spy}_known_remember", reader):
        consumer = ConsumerConfig(name=name, durable_name=name, filter_subject=kept, ack_policy=AckPolicy.EXPLICIT)
        with pytest.raises((NatsTimeout, TimeoutError, JetStreamError)):
            await js.add_consumer(stream, consumer)

    assert (await told.publish(kept, b"{}")).seq == 1

    with pytest.raises((NatsTimeout, TimeoutError)):
        await listening.next_msg(timeout=0.5)
    with pytest.raises((NatsTimeout, TimeoutError, JetStreamError)):
        await js.get_msg(stream, 1)
    await nc.close()
    await personnel.close()
