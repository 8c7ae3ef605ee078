"""The hooks: known to pluggy, documented, and few."""

from __future__ import annotations

import inspect

import pluggy
import pytest

import flower_plugins
from flower_plugins import hookimpl, hooks

NAMES = [name for name in hooks.__all__ if name.startswith("flower_")]

OFFERS = {
    "flower_auth_providers",
    "flower_broker_inspectors",
    "flower_event_sources",
    "flower_history_stores",
    "flower_renderers",
}
WITHOUT_HOST = OFFERS | {"flower_options", "flower_assets"}
WITH_HOST = {
    "flower_event_sinks",
    "flower_metric_exporters",
    "flower_metric_sources",
    "flower_nav_items",
    "flower_routes",
    "flower_services",
    "flower_task_columns",
    "flower_task_formatters",
    "flower_task_panels",
}


@pytest.fixture
def manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    return manager


def test_the_hooks_are_those_that_were_agreed_on() -> None:
    assert set(NAMES) == WITHOUT_HOST | WITH_HOST


@pytest.mark.parametrize("name", NAMES)
def test_a_hook_is_a_plain_function_that_says_what_it_is_for(name: str) -> None:
    hook = getattr(hooks, name)
    assert not inspect.iscoroutinefunction(hook)
    assert (hook.__doc__ or "").endswith(".")
    assert inspect.signature(hook).return_annotation.startswith("Sequence[")
    assert list(inspect.signature(hook).parameters) == (["host"] if name in WITH_HOST else [])


@pytest.mark.parametrize("name", sorted(OFFERS))
def test_what_is_chosen_is_offered_not_made(name: str) -> None:
    assert inspect.signature(getattr(hooks, name)).return_annotation.startswith("Sequence[Offer[")


@pytest.mark.parametrize("name", NAMES)
def test_a_marked_function_is_called_with_what_it_asks_for(manager: pluggy.PluginManager, name: str) -> None:
    class Plugin:
        pass

    plugin = Plugin()
    setattr(plugin, name, hookimpl(lambda: [name]))
    manager.register(plugin)
    manager.check_pending()
    arguments = {"host": object()} if name in WITH_HOST else {}
    assert getattr(manager.hook, name)(**arguments) == [[name]]


def test_a_misspelt_hook_is_an_error(manager: pluggy.PluginManager) -> None:
    class Plugin:
        @hookimpl
        def flower_route(self) -> list[object]:
            return []

    manager.register(Plugin())
    with pytest.raises(pluggy.PluginValidationError, match="flower_route"):
        manager.check_pending()


def test_the_package_exports_what_a_plugin_needs() -> None:
    assert flower_plugins.API_VERSION == hooks.API_VERSION == 1
    assert [name for name in flower_plugins.__all__ if not hasattr(flower_plugins, name)] == []
