"""The figures of one process for Prometheus; labelled by route template, never by path."""

from prometheus_client import CollectorRegistry, Gauge, Histogram
from starlette.types import Scope


class Measures:
    """How long requests take, and what is late."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "muster_request_seconds",
            "Seconds a request took",
            ["service", "method", "route", "status"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        )
        self.late = Gauge(
            "muster_late", "What is late, by kind: seconds or counts, as the name says", ["service", "what"], registry=self.registry
        )
        self.service = service

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request."""
        route = str(getattr(scope.get("route"), "path", "none"))
        self.seconds.labels(self.service, scope["method"], route, str(status)).observe(seconds)
