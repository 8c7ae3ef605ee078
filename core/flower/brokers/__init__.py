"""The broker's queues: which there are and how many messages wait in them."""

from flower.brokers.kombu_inspector import KombuInspector
from flower.brokers.queues import QueueService, declared_queues

__all__ = ["KombuInspector", "QueueService", "declared_queues"]
