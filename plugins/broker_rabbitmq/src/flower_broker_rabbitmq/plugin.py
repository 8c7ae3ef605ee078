"""What this plugin brings: the option `broker_api`, an inspector for RabbitMQ's queues and a source of events."""

from __future__ import annotations

from collections.abc import Sequence

from flower_plugins import BrokerInspector, EventSource, Offer, Option, hookimpl

FLOWER_API_VERSION = 1


@hookimpl
def flower_options() -> Sequence[Option]:
    return [
        Option(
            "broker_api",
            help="URL of RabbitMQ's management API with credentials: http://user:password@host:15672/api/",
            default=None,
            secret=True,
            check=_check_api_url,
        )
    ]


@hookimpl
def flower_broker_inspectors() -> Sequence[Offer[BrokerInspector]]:
    return [
        Offer(
            "rabbitmq",
            "flower_broker_rabbitmq.inspector:RabbitMQInspector",
            label="RabbitMQ management API",
            schemes=("amqp", "amqps", "pyamqp", "librabbitmq"),
        )
    ]


@hookimpl
def flower_event_sources() -> Sequence[Offer[EventSource]]:
    return [
        Offer(
            "rabbitmq",
            "flower_broker_rabbitmq.events:RabbitMQEventSource",
            label="RabbitMQ, read frame by frame",
            schemes=("amqp", "amqps", "pyamqp", "rabbitmq"),
        )
    ]


def _check_api_url(url: str) -> str:
    # Local: only who gives the option needs it checked.
    from flower_broker_rabbitmq.location import check_api_url

    return check_api_url(url)
