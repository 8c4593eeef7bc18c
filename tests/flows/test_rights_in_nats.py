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


@pytest.mark.parametrize("spy", ["identity", "duty", "dispatch", "gateway"])
async def test_contact_addresses_are_heard_by_notifications_alone(nats: Nats, spy: str) -> None:
    personnel = await connect_within(nats.url("personnel"), "personnel")
    told = personnel.jetstream(timeout=1)
    await ensure_stream(told, "CONTACTS")
    nc = await connect_within(nats.url(spy), spy)
    js = nc.jetstream(timeout=1)
    listening = await nc.subscribe(CONTACT)
    for name in (f"{spy}_known_remember_contacts", "notifications_known_remember_contacts"):
        consumer = ConsumerConfig(name=name, durable_name=name, filter_subject=CONTACT, ack_policy=AckPolicy.EXPLICIT)
        with pytest.raises((NatsTimeout, TimeoutError, JetStreamError)):
            await js.add_consumer("CONTACTS", consumer)

    assert (await told.publish(CONTACT, b"{}")).seq == 1

    with pytest.raises((NatsTimeout, TimeoutError)):
        await listening.next_msg(timeout=0.5)
    with pytest.raises((NatsTimeout, TimeoutError, JetStreamError)):
        await js.get_msg("CONTACTS", 1)
    await nc.close()
    await personnel.close()
