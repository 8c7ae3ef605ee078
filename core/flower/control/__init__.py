"""Orders to workers and questions about them, tasks to run and their results, over Celery's remote control."""

from flower.control.backend import ResultBackend
from flower.control.commands import ControlService
from flower.control.enable_events import EnableEvents
from flower.control.executor import Executor
from flower.control.inspector import TASK_LISTS, InspectService
from flower.control.mailbox import Mailbox
from flower.control.publisher import Publisher
from flower.control.results import ResultService

__all__ = [
    "TASK_LISTS",
    "ControlService",
    "EnableEvents",
    "Executor",
    "InspectService",
    "Mailbox",
    "Publisher",
    "ResultBackend",
    "ResultService",
]
