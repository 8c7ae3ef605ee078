"""What this plugin brings: the option `broker_api` and an inspector for RabbitMQ's queues."""

from __future__ import annotations

from collections.abc import Sequence

from flower_broker_rabbitmq.location import check_api_url
from flower_plugins import BrokerInspector, Offer, Option, hookimpl

FLOWER_API_VERSION = 1


@hookimpl
def flower_options() -> Sequence[Option]:
    return [
        Option(
            "broker_api",
            help="URL of RabbitMQ's management API with credentials: http://user:password@host:15672/api/",
            default=None,
            secret=True,
            check=check_api_url,
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
