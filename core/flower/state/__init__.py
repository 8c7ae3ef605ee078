"""The live picture of the cluster, merged from events."""

from flower.state.state import State
from flower.state.tasks import TaskRecord
from flower.state.workers import WorkerRecord

__all__ = ["State", "TaskRecord", "WorkerRecord"]
