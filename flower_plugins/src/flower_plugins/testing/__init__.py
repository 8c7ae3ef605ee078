"""What a plugin's own tests need: a fake host, a server for its routes, a contract per kind of plugin."""

from flower_plugins.testing.browser import FakeClock, FakeLoginProvider, browser_request
from flower_plugins.testing.contracts import (
    AuthProviderContract,
    BrokerInspectorContract,
    EventSinkContract,
    EventSourceContract,
    HistoryStoreContract,
    MetricExporterContract,
    MetricSourceContract,
    PluginContract,
    ServiceContract,
    TaskFormatterContract,
)
from flower_plugins.testing.displays import TaskColumnContract, TaskPanelContract
from flower_plugins.testing.host import (
    FakeControl,
    FakeHost,
    FakeInspect,
    FakeQueues,
    FakeResults,
    FakeSettings,
    FakeStatus,
    FakeStream,
    FakeTasks,
    FakeWorkers,
    offer_context,
)
from flower_plugins.testing.logins import LoginProviderContract
from flower_plugins.testing.provider import ScriptedProvider, ScriptedReply, play_provider
from flower_plugins.testing.records import TASK_FIELDS, FakeTask, FakeWorker
from flower_plugins.testing.rollups import FakeRollups
from flower_plugins.testing.server import Client, FakeVisit, serve

__all__ = [
    "TASK_FIELDS",
    "AuthProviderContract",
    "BrokerInspectorContract",
    "Client",
    "EventSinkContract",
    "EventSourceContract",
    "FakeClock",
    "FakeControl",
    "FakeHost",
    "FakeInspect",
    "FakeLoginProvider",
    "FakeQueues",
    "FakeResults",
    "FakeRollups",
    "FakeSettings",
    "FakeStatus",
    "FakeStream",
    "FakeTask",
    "FakeTasks",
    "FakeVisit",
    "FakeWorker",
    "FakeWorkers",
    "HistoryStoreContract",
    "LoginProviderContract",
    "MetricExporterContract",
    "MetricSourceContract",
    "PluginContract",
    "ScriptedProvider",
    "ScriptedReply",
    "ServiceContract",
    "TaskColumnContract",
    "TaskFormatterContract",
    "TaskPanelContract",
    "browser_request",
    "offer_context",
    "play_provider",
    "serve",
]
