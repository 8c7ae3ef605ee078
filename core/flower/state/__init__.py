"""The live picture of the cluster, merged from events."""

from flower.state.counters import DEFAULT_BUCKETS
from flower.state.state import State
from flower.state.tasks import TaskRecord
from flower.state.workers import WorkerRecord

__all__ = ["DEFAULT_BUCKETS", "State", "TaskRecord", "WorkerRecord"]
