"""The registry: the one way in which core speaks to plugins, one hook implementation at a time."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

import pluggy
from msgspec.structs import replace

from flower import __version__
from flower.plugins.contract import LITERAL, checked
from flower.plugins.discover import (
    CONFIG,
    CORE,
    Implementation,
    Plugin,
    config_plugin,
    installed,
    make_manager,
    origin,
    read,
    register,
)
from flower.plugins.faults import FAULTS, PluginError, describe, place_of, suggestion
from flower_plugins import Assets, ConfigurationError, EditableTask, Offer, Option, PluginReport, Route

__all__ = ["FormatTask", "Registry"]

log = logging.getLogger(__name__)


class FormatTask:
    """`format_task` of flowerconfig.py as a task formatter."""

    def __init__(self, function: Callable[[EditableTask], EditableTask | None]) -> None:
        self._function = function

    def format(self, task: EditableTask) -> EditableTask | None:
        """Return what the function returns; it may change `task` in place."""
        return self._function(task)


class Registry:
    """Knows every plugin, calls its hooks apart from all others and takes note of what goes wrong.

    The order of answers is core, Flower's own plugins, others by name, flowerconfig.py.
    """

    def __init__(self, plugins: Sequence[Plugin], format_task: FormatTask | None = None) -> None:
        self._plugins = list(plugins)
        self._format_task = format_task
        self._once: dict[str, list[tuple[str, Any]]] = {}

    @classmethod
    def load(
        cls,
        *,
        core: object,
        config_globals: Mapping[str, Any],
        config_path: str,
        disabled: Sequence[str] = (),
        allowed: Sequence[str] | None = None,
        entry_points: Iterable[EntryPoint] | None = None,
    ) -> Registry:
        """Load every plugin that is not switched off.

        `core` is an object with core's own hook functions. `config_globals` are the globals of the
        configuration file at `config_path`. `disabled` and `allowed` are names of plugins; None
        allows all. `entry_points` stands in for those of the environment. Raise ConfigurationError
        when `disabled` names no plugin or `format_task` is no function.
        """
        points = installed(entry_points)
        _check_names(points, disabled, allowed)
        format_task = _format_task(config_globals, config_path)
        manager = make_manager()
        plugins = [Plugin(CORE, dist=CORE, version=__version__, implementations=register(manager, CORE, core))]
        for point in points:
            plugins.append(_load_installed(manager, point, plugins, disabled, allowed))
        config = _load_config(manager, config_globals, config_path, CONFIG in disabled)
        if config is None and format_task is not None:
            config = Plugin(CONFIG, dist=config_path)
        if config is not None:
            plugins.append(config)
        return cls(plugins, format_task)

    def options(self) -> list[tuple[str, Option]]:
        """Return every declared option with the plugin that declared it.

        The first to declare a name has it, which is core for its own, unless core only reserves the
        name (declares it as unavailable) and a plugin claims it.
        """
        if "flower_options" in self._once:
            return self._once["flower_options"]
        taken: dict[str, tuple[str, Option]] = {}
        for plugin, option in self._collect("flower_options", {}):
            owner, first = taken.get(option.name, ("", option))
            if not owner or (owner == CORE and first.unavailable and option.claims):
                taken[option.name] = (plugin.name, option)
            else:
                self._refuse(plugin, f"option {option.name!r} is already declared by {owner}")
        self._once["flower_options"] = list(taken.values())
        return self._once["flower_options"]

    def contributions(self, hook_name: str, **kwargs: object) -> list[tuple[str, Any]]:
        """Return (plugin, item) for every item that the implementations of a hook return.

        A plugin that raises, or returns something else than the hook promises, is failed and none of
        this answer is used. A route, exporter, column or panel at a place already taken is refused alone, and so is a
        route without placeholders whose path another plugin's pattern answers.
        """
        taken: dict[str, str] = {}
        kept: list[tuple[str, Any]] = []
        for plugin, item in self._collect(hook_name, kwargs):
            place = getattr(item, _PLACES.get(hook_name, ""), None)
            if place in taken:
                self._refuse(plugin, f"{place!r} is already taken by {taken[place]}")
                continue
            if hook_name == "flower_routes" and (owner := _answering(item, plugin.name, kept)):
                self._refuse(plugin, f"{place!r} is already answered by {owner}")
                continue
            if place is not None:
                taken[place] = plugin.name
            kept.append((plugin.name, item))
        if hook_name == "flower_task_formatters" and self._format_task is not None:
            kept.append((CONFIG, self._format_task))
        return kept

    def offers(self, hook_name: str) -> list[tuple[str, Offer[Any]]]:
        """Return (plugin, offer); an offer or alias whose name is taken is refused."""
        if hook_name in self._once:
            return self._once[hook_name]
        taken: dict[str, str] = {}
        kept: list[tuple[str, Offer[Any]]] = []
        for plugin, offer in self._collect(hook_name, {}):
            if offer.name in taken:
                self._refuse(plugin, f"offer {offer.name!r} is already made by {taken[offer.name]}")
                continue
            for alias in offer.aliases:
                if alias in taken:
                    self._refuse(plugin, f"alias {alias!r} already belongs to {taken[alias]}")
            aliases = tuple(alias for alias in offer.aliases if alias not in taken)
            taken.update(dict.fromkeys((offer.name, *aliases), plugin.name))
            kept.append((plugin.name, replace(offer, aliases=aliases)))
        self._once[hook_name] = kept
        return kept

    def assets(self) -> list[tuple[str, Assets]]:
        """Return every plugin's folders of templates and static files."""
        if "flower_assets" not in self._once:
            self._once["flower_assets"] = self.contributions("flower_assets")
        return self._once["flower_assets"]

    def reports(self) -> list[PluginReport]:
        """Return every plugin found, core first, those that failed or are switched off included."""
        return [plugin.report() for plugin in self._plugins]

    def fail(self, plugin: str, error: BaseException | str) -> None:
        """Mark a plugin as failed from now on, and warn once. The first reason stays."""
        self._fail(self._named(plugin), error)

    def _collect(self, hook: str, arguments: Mapping[str, object]) -> list[tuple[Plugin, Any]]:
        collected: list[tuple[Plugin, Any]] = []
        for plugin in self._plugins:
            calls = [each for each in plugin.implementations if each.hook == hook]
            if plugin.state == "active" and calls:
                collected.extend((plugin, item) for item in self._answers(plugin, calls, arguments))
        return collected

    def _answers(self, plugin: Plugin, calls: list[Implementation], arguments: Mapping[str, object]) -> list[Any]:
        try:
            return [item for each in calls for item in checked(each.hook, each.call(arguments))]
        except FAULTS as error:  # the plugin boundary: a hook is foreign code
            if plugin.name == CORE:
                raise
            words = describe(error)
            if not isinstance(error, PluginError):
                words = f"{calls[0].hook} raised {words}{place_of(error)}"
            self._fail(plugin, words, error)
            return []

    def _named(self, name: str) -> Plugin:
        for plugin in self._plugins:
            if plugin.name == name:
                return plugin
        raise KeyError(name)

    def _fail(self, plugin: Plugin, error: BaseException | str, cause: BaseException | None = None) -> None:
        if plugin.state == "active":
            _mark_failed(plugin, error if isinstance(error, str) else describe(error), cause)

    def _refuse(self, plugin: Plugin, sentence: str) -> None:
        if sentence not in plugin.error.split("; "):
            plugin.error = "; ".join(filter(None, (plugin.error, sentence)))
            log.warning("Plugin %s: %s", plugin.name, sentence)


_PLACES = {
    "flower_metric_exporters": "path",
    "flower_routes": "pattern",
    "flower_task_columns": "slug",
    "flower_task_panels": "slug",
}


def _answering(route: Route, plugin: str, before: Sequence[tuple[str, Route]]) -> str:
    """Return the plugin whose pattern answers the path of another plugin's route, "" where there is none.

    Only paths are looked at: of two patterns the first one wins, and a path wins over patterns.
    """
    if not LITERAL.fullmatch(route.pattern):
        return ""
    paths = {route.pattern, route.pattern.rstrip("/") or "/"}
    for owner, earlier in before:
        if owner != plugin and any(re.fullmatch(earlier.pattern, path, re.DOTALL) for path in paths):
            return owner
    return ""


def _mark_failed(plugin: Plugin, error: str, cause: BaseException | None) -> None:
    plugin.state, plugin.error = "failed", error
    log.warning("Plugin %s failed: %s", plugin.name, error)
    log.debug("Plugin %s failed here", plugin.name, exc_info=cause)


def _load_installed(
    manager: pluggy.PluginManager,
    point: EntryPoint,
    before: Sequence[Plugin],
    disabled: Sequence[str],
    allowed: Sequence[str] | None,
) -> Plugin:
    plugin = Plugin(point.name, *origin(point))
    if point.name in disabled:
        plugin.state, plugin.error = "disabled", "switched off by --disable-plugin"
        return plugin
    if allowed is not None and point.name not in allowed:
        plugin.state, plugin.error = "disabled", "not named by --plugins-allowed"
        return plugin
    try:
        if point.name == CONFIG or any(point.name == other.name for other in before):
            raise PluginError(f"the name {point.name!r} is taken")
        plugin.implementations = register(manager, point.name, read(point))
    except PluginError as fault:
        _mark_failed(plugin, describe(fault), fault)
    return plugin


def _load_config(manager: pluggy.PluginManager, values: Mapping[str, Any], path: str, disabled: bool) -> Plugin | None:
    plugin = Plugin(CONFIG, dist=path)
    try:
        functions = config_plugin(values)
        if functions is None:
            return None
        if disabled:
            plugin.state, plugin.error = "disabled", "switched off by --disable-plugin"
        else:
            plugin.implementations = register(manager, CONFIG, functions)
    except PluginError as fault:
        _mark_failed(plugin, describe(fault), fault)
    return plugin


def _format_task(values: Mapping[str, Any], path: str) -> FormatTask | None:
    function = values.get("format_task")
    if function is None:
        return None
    if not callable(function):
        # It may be what hides secrets, so Flower does not run without it.
        raise ConfigurationError("format_task is not a function", where=path)
    return FormatTask(function)


def _check_names(points: Sequence[EntryPoint], disabled: Sequence[str], allowed: Sequence[str] | None) -> None:
    names = {point.name for point in points}
    for name in disabled:
        if name == CORE:
            raise ConfigurationError("flower itself cannot be disabled", where="--disable-plugin")
        if name not in names and name != CONFIG:
            mend = suggestion(name, (*names, CONFIG)) or f"Installed: {', '.join(sorted(names)) or 'none'}."
            raise ConfigurationError(f"No plugin is named {name!r}", where="--disable-plugin", mend=mend)
    for name in allowed or ():
        if name not in names:
            log.warning("--plugins-allowed names %r, which is not installed. %s", name, suggestion(name, names))
