"""Celery settings for tasks.py: a Redis server on this machine."""

broker_url = "redis://localhost:6379/0"
result_backend = "redis://localhost:6379/0"

# Without these Flower sees neither what waits in a queue nor what workers do.
task_send_sent_event = True
worker_send_task_events = True
