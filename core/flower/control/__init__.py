"""Orders to workers and questions about them, over Celery's remote control."""

from flower.control.commands import ControlService
from flower.control.enable_events import EnableEvents
from flower.control.executor import Executor
from flower.control.inspector import TASK_LISTS, InspectService
from flower.control.mailbox import Mailbox

__all__ = [
    "TASK_LISTS",
    "ControlService",
    "EnableEvents",
    "Executor",
    "InspectService",
    "Mailbox",
]
