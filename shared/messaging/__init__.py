"""Events between services: outbox, relay, inbox. PostgreSQL is the truth, JetStream is transport."""
