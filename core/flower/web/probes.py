"""What load balancers, orchestrators and scrapers ask: am I up, am I useful, what are the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from flower.web.metrics_door import MetricsDoor
from flower_plugins import Answer, MetricExporter, Route
from flower_plugins.web import Handler

__all__ = ["probe_routes"]


class HealthHandler(Handler):
    """Says that the process answers, whatever the broker does."""

    def get(self) -> None:
        """Answer OK."""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish("OK")


class ReadyHandler(Handler):
    """Says whether events arrive."""

    def get(self) -> None:
        """Answer 200, or 503 with the reason; where logins are configured, strangers are not told the reason."""
        status = self.host.status
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        if status.up:
            self.finish("OK")
            return
        self.set_status(503)
        stranger = self.visit.refusal("read") is not None
        self.finish("no event stream" if stranger else f"no event stream: {status.reason}")


class MetricsHandler(Handler):
    """Publishes every metric family in one exporter's format."""

    def get(self) -> None:
        """Answer with the numbers as of now, to those who may know them."""
        door: MetricsDoor = self.route.options["door"]
        if not door.admits(self.request):
            self.set_status(401)
            self.set_header("WWW-Authenticate", door.challenge)
            self.write_error(401)
            return
        exporter: MetricExporter = self.route.options["exporter"]
        content_type, body = exporter.render(self.host.metrics(), self.request.headers)
        self.set_header("Content-Type", content_type)
        self.finish(body)


def probe_routes(exporters: Sequence[MetricExporter], door: MetricsDoor | None = None) -> list[Route]:
    """Return the probes, with one route per exporter; without a `door` everybody may read metrics."""
    door = door or MetricsDoor()
    return [
        Route(
            "/healthcheck",
            HealthHandler,
            "public",
            "probe",
            "health check",
            help="`OK` while the process runs, whatever the broker does.",
            answers=[Answer(200, "The process runs", content_type="text/plain")],
        ),
        Route(
            "/readyz",
            ReadyHandler,
            "public",
            "probe",
            "readiness",
            help="Whether events arrive.",
            answers=[
                Answer(200, "Events arrive", content_type="text/plain"),
                Answer(503, "No events arrive; the reason is told to those who may read"),
            ],
        ),
        *(
            Route(
                exporter.path,
                MetricsHandler,
                door.access,
                "probe",
                "metrics",
                help="Every metric, in the format that the scraper asks for.",
                answers=[
                    *(Answer(200, "The metrics", content_type=each) for each in exporter.content_types),
                    *([Answer(401, "The token is missing or wrong")] if door.token else []),
                ],
                options={"exporter": exporter, "door": door},
            )
            for exporter in exporters
        ),
    ]
