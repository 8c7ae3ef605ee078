"""Finds plugins and registers each apart, so that a broken one costs only itself."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pluggy
from msgspec import Struct

from flower.plugins.faults import FAULTS, PluginError, describe, suggestion
from flower_plugins import PluginReport, hooks

__all__ = [
    "CONFIG",
    "CORE",
    "GROUP",
    "HOOKS",
    "Implementation",
    "Plugin",
    "config_plugin",
    "installed",
    "make_manager",
    "origin",
    "read",
    "register",
]

GROUP = "flower_plugins"
CORE = "flower"
CONFIG = "flowerconfig"
HOOKS = tuple(name for name in hooks.__all__ if name.startswith("flower_"))

_MISSPELT = 0.85
"""How alike a function of flowerconfig.py must be to a hook to be a slip of the finger, not a helper."""

_FIRST_PARTY = frozenset(
    (
        "flower-api",
        "flower-auth-basic",
        "flower-auth-github",
        "flower-auth-gitlab",
        "flower-auth-google",
        "flower-auth-okta",
        "flower-broker-rabbitmq",
        "flower-broker-redis",
        "flower-dashboard",
        "flower-metrics-prometheus",
        "flower-store-sqlite",
    )
)


class Implementation(NamedTuple):
    """One hook function of one plugin; it takes those of the hook's arguments that it names."""

    hook: str
    function: Callable[..., object]
    parameters: tuple[str, ...]

    def call(self, arguments: Mapping[str, object]) -> object:
        return self.function(*(arguments[name] for name in self.parameters))


class Plugin(Struct):
    """A plugin and how it fared; fields as in PluginReport."""

    name: str
    dist: str = ""
    version: str = ""
    state: str = "active"
    error: str = ""
    implementations: tuple[Implementation, ...] = ()

    def report(self) -> PluginReport:
        """Return what others may know of it."""
        names = tuple(sorted({implementation.hook for implementation in self.implementations}))
        return PluginReport(self.name, self.dist, self.version, self.state, self.error, names)


def make_manager() -> pluggy.PluginManager:
    """Return a plugin manager that knows the hooks and no plugin."""
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    return manager


def installed(entry_points: Iterable[EntryPoint] | None = None) -> list[EntryPoint]:
    """Return the entry points of plugins, Flower's own before others, then by name.

    The order decides who wins when two plugins declare the same option, route or alias.
    """
    if entry_points is None:
        entry_points = importlib.metadata.entry_points(group=GROUP)
    return sorted(entry_points, key=lambda point: (origin(point)[0] not in _FIRST_PARTY, point.name, point.value))


def origin(entry_point: EntryPoint) -> tuple[str, str]:
    """Return name and version of the distribution an entry point belongs to."""
    try:
        if entry_point.dist is None:
            return "", ""
        metadata = entry_point.dist.metadata  # read from disk each time
        return str(metadata["Name"]), str(metadata["Version"])
    except Exception:  # the plugin boundary: metadata on disk may be damaged in any way
        return "", ""


def read(entry_point: EntryPoint) -> object:
    """Import what an entry point names. Raise PluginError for whatever goes wrong on the way."""
    try:
        plugin: object = entry_point.load()
        version = getattr(plugin, "FLOWER_API_VERSION", hooks.API_VERSION)
    except FAULTS as error:  # the plugin boundary: an import runs foreign code
        raise PluginError(f"cannot load {entry_point.value!r}: {describe(error)}") from error
    if isinstance(plugin, type):
        raise PluginError(f"{entry_point.value!r} is a class; expected a module or an instance with hook functions")
    if version != hooks.API_VERSION:
        raise PluginError(f"written for plugin API {version!r}, this Flower has {hooks.API_VERSION}")
    return plugin


def register(manager: pluggy.PluginManager, name: str, plugin: object) -> tuple[Implementation, ...]:
    """Register a plugin and return its hook functions. Raise PluginError, leaving no trace of it, when it is wrong."""
    try:
        manager.register(plugin, name)
    except FAULTS as error:  # the plugin boundary: registering reads every attribute of a foreign object
        _unregister(manager, name, plugin)
        raise PluginError(describe(error)) from error
    try:
        _refuse_misspelt(manager, plugin)
        found = _implementations(manager, plugin)
        _refuse_unmarked(plugin)
        if not found:
            raise PluginError(f"{type(plugin).__name__} without hook functions; a plugin defines at least one")
    except PluginError:
        _unregister(manager, name, plugin)
        raise
    return found


def config_plugin(values: Mapping[str, Any]) -> SimpleNamespace | None:
    """Return the hook functions among the globals of flowerconfig.py, marked, or None without any.

    Raise PluginError for a name that is almost a hook's, or a hook's name on something else than a function.
    """
    chosen: dict[str, Callable[..., object]] = {}
    for name, value in values.items():
        if not name.startswith("flower_") or hasattr(value, f"{hooks.PROJECT}_spec"):
            continue
        if name in HOOKS:
            if not inspect.isfunction(value):
                raise PluginError(f"{name} is {type(value).__name__}, expected a function")
            chosen[name] = hooks.hookimpl(value)
        elif inspect.isfunction(value) and (meant := suggestion(name, HOOKS, at_least=_MISSPELT)):
            raise PluginError(f"unknown hook {name!r}. {meant}")
    return SimpleNamespace(**chosen) if chosen else None


def _refuse_misspelt(manager: pluggy.PluginManager, plugin: object) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError:
        callers = manager.get_hookcallers(plugin) or []
        unknown = sorted(caller.name for caller in callers if not caller.has_spec())
        raise PluginError(
            "; ".join(f"unknown hook {name!r}. {suggestion(name, HOOKS)}".strip() for name in unknown)
        ) from None


def _refuse_unmarked(plugin: object) -> None:
    if not isinstance(plugin, ModuleType):
        return
    for name in HOOKS:
        value = plugin.__dict__.get(name)
        if (
            inspect.isfunction(value)
            and value.__module__ == plugin.__name__
            and not hasattr(value, f"{hooks.PROJECT}_impl")
        ):
            raise PluginError(f"{name} is not marked with @hookimpl")


def _implementations(manager: pluggy.PluginManager, plugin: object) -> tuple[Implementation, ...]:
    found = []
    for caller in manager.get_hookcallers(plugin) or []:
        for impl in caller.get_hookimpls():
            if impl.plugin is not plugin:
                continue
            if impl.wrapper or impl.hookwrapper:
                raise PluginError(f"{caller.name} is a hook wrapper; hooks are plain functions")
            if inspect.iscoroutinefunction(impl.function):
                raise PluginError(f"{caller.name} is async; hooks are plain functions")
            found.append(Implementation(caller.name, impl.function, tuple(impl.argnames)))
    return tuple(found)


def _unregister(manager: pluggy.PluginManager, name: str, plugin: object) -> None:
    if manager.get_plugin(name) is plugin:
        manager.unregister(plugin, name)
