"""What the viewer's own processes do: requests, open pages, the tail.

One process keeps its figures in memory. Several workers keep them in files of a common folder, which
prometheus-client adds up, so that it does not matter which of them is asked.
"""

import os
import time
from collections.abc import Callable

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from web.metrics.sharing import FOLDER

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "(none)"


class Own:
    """The figures of one worker. They bear the route's template, never an address, an id or a name."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "helpdesk_http_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self._durations = Histogram(
            "helpdesk_http_request_duration_seconds",
            "How long requests took.",
            ("route", "method"),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._clients = Gauge(
            "helpdesk_connected_clients",
            "Open pages with a live connection.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._looked = Gauge(
            "helpdesk_tail_last_look_timestamp_seconds",
            "When the worker that is furthest behind last looked for news.",
            multiprocess_mode="livemin",
            registry=registry,
        )

    def watch(self, app: Flask) -> None:
        """Take the time of every request."""

        @app.before_request
        def begin() -> None:
            g.asked_at = time.perf_counter()

        @app.after_request
        def end(answer: Response) -> Response:
            route = request.url_rule.rule if request.url_rule else NO_ROUTE
            method = request.method if request.method in METHODS else "other"
            self._requests.labels(route, method, str(answer.status_code)).inc()
            if (began := g.get("asked_at")) is not None:
                self._durations.labels(route, method).observe(time.perf_counter() - began)
            return answer

    def looked(self, connections: Callable[[], int]) -> Callable[[], None]:
        """Return what is to be called whenever the tail has looked."""

        def note() -> None:
            self._clients.set(connections())
            self._looked.set(time.time())

        return note

    def collected(self) -> list[Collector]:
        """Return what gives the figures of all workers."""
        if FOLDER not in os.environ:
            return [self._registry]
        return [MultiProcessCollector(None)]  # type: ignore[no-untyped-call]
