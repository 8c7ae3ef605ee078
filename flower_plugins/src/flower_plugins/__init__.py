"""The public plugin API of Flower: everything a plugin imports comes from here."""

from flower_plugins.brokers import BrokerInspector, QueueStats
from flower_plugins.calls import READY_STATES, TaskCall, TaskResult
from flower_plugins.changes import EventSink, TaskChange, WorkerChange
from flower_plugins.columns import ColumnKind, ColumnValue, TaskColumn
from flower_plugins.errors import (
    ConfigurationError,
    FlowerError,
    Forbidden,
    InvalidParameter,
    LoginRefused,
    NoReply,
    NotFound,
    Offline,
    ProviderFailed,
    QueryError,
    TooManyAttempts,
    Unavailable,
)
from flower_plugins.history import HistoryStore, Row
from flower_plugins.hooks import API_VERSION, hookimpl
from flower_plugins.host import (
    Control,
    Gap,
    Host,
    Inspect,
    PluginReport,
    QueueReport,
    Queues,
    Results,
    Status,
    Stream,
    Tasks,
    Workers,
)
from flower_plugins.identity import AuthProvider, Identity, LoginProvider, LoginTicket, Request
from flower_plugins.metrics import HistogramSample, MetricExporter, MetricFamily, MetricSource, Sample
from flower_plugins.offers import Broker, Offer, OfferContext
from flower_plugins.options import Option, Settings
from flower_plugins.pages import Assets, Banner, NavItem, Renderer
from flower_plugins.panels import DrawnPanel, PanelContent, TaskPanel
from flower_plugins.queries import Page, TaskQuery
from flower_plugins.records import EditableTask, Task, TaskFormatter, Worker
from flower_plugins.rollups import OTHER, FailureGroup, Problem, Quantiles, Rollups, Series, TaskSummary
from flower_plugins.routes import Access, Answer, Example, Param, Route, Surface
from flower_plugins.services import BackgroundService, Service
from flower_plugins.sources import EventSource, Messages, Pump

__version__ = "3.0.0"

__all__ = [
    "API_VERSION",
    "OTHER",
    "READY_STATES",
    "Access",
    "Answer",
    "Assets",
    "AuthProvider",
    "BackgroundService",
    "Banner",
    "Broker",
    "BrokerInspector",
    "ColumnKind",
    "ColumnValue",
    "ConfigurationError",
    "Control",
    "DrawnPanel",
    "EditableTask",
    "EventSink",
    "EventSource",
    "Example",
    "FailureGroup",
    "FlowerError",
    "Forbidden",
    "Gap",
    "HistogramSample",
    "HistoryStore",
    "Host",
    "Identity",
    "Inspect",
    "InvalidParameter",
    "LoginProvider",
    "LoginRefused",
    "LoginTicket",
    "Messages",
    "MetricExporter",
    "MetricFamily",
    "MetricSource",
    "NavItem",
    "NoReply",
    "NotFound",
    "Offer",
    "OfferContext",
    "Offline",
    "Option",
    "Page",
    "PanelContent",
    "Param",
    "PluginReport",
    "Problem",
    "ProviderFailed",
    "Pump",
    "Quantiles",
    "QueryError",
    "QueueReport",
    "QueueStats",
    "Queues",
    "Renderer",
    "Request",
    "Results",
    "Rollups",
    "Route",
    "Row",
    "Sample",
    "Series",
    "Service",
    "Settings",
    "Status",
    "Stream",
    "Surface",
    "Task",
    "TaskCall",
    "TaskChange",
    "TaskColumn",
    "TaskFormatter",
    "TaskPanel",
    "TaskQuery",
    "TaskResult",
    "TaskSummary",
    "Tasks",
    "TooManyAttempts",
    "Unavailable",
    "Worker",
    "WorkerChange",
    "Workers",
    "__version__",
    "hookimpl",
]
