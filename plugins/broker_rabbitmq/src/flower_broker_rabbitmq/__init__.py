"""RabbitMQ's queues in Flower, through its management API."""

__version__ = "3.0.0"
