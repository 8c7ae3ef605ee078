from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest

from flower.plugins import Registry
from flower_plugins import ConfigurationError, Option, PluginReport, hookimpl

Write = Callable[[str, str], EntryPoint]
Load = Callable[..., Registry]


def nothing() -> list[Any]:
    return []


def report(registry: Registry, name: str) -> PluginReport:
    return next(each for each in registry.reports() if each.name == name)


def options(registry: Registry) -> list[str]:
    return [option.name for _, option in registry.options()]


def offer(name: str, *aliases: str) -> str:
    return f"@hookimpl\ndef flower_auth_providers(): return [Offer({name!r}, 'a:B', aliases={aliases!r})]"


def option(name: str, extra: str = "") -> str:
    return f"@hookimpl\ndef flower_options(): return [Option({name!r}, str, __name__{extra})]"


def test_core_comes_first_then_plugins_by_name_then_the_configuration_file(write: Write, load: Load) -> None:
    config = {"flower_options": lambda: [Option("from_config")]}
    registry = load(write("b", option("from_b")), write("a", option("from_a")), config=config)
    assert [(plugin, each.name) for plugin, each in registry.options()] == [
        ("flower", "port"),
        ("a", "from_a"),
        ("b", "from_b"),
        ("flowerconfig", "from_config"),
    ]
    assert [each.name for each in registry.reports()] == ["flower", "a", "b", "flowerconfig"]


def test_flowers_own_plugins_come_before_others() -> None:
    registry = Registry.load(
        core=SimpleNamespace(flower_options=hookimpl(nothing)),
        config_globals={},
        config_path="",
        entry_points=[EntryPoint("a_stranger", "no_such_module", "flower_plugins"), *installed_store()],
    )
    assert [each.name for each in registry.reports()] == ["flower", "store_sqlite", "a_stranger"]
    assert report(registry, "store_sqlite") == PluginReport(
        "store_sqlite", "flower-store-sqlite", "3.0.0", "active", "", ("flower_history_stores", "flower_options")
    )


def installed_store() -> list[EntryPoint]:
    points = importlib.metadata.entry_points(group="flower_plugins", name="store_sqlite")
    return list(points)[:1]


def test_an_option_belongs_to_the_first_that_declares_it(write: Write, load: Load, caplog: Any) -> None:
    registry = load(write("a", option("shared")), write("b", option("shared")), write("c", option("port")))
    assert [(plugin, each.name) for plugin, each in registry.options()] == [("flower", "port"), ("a", "shared")]
    assert report(registry, "b").error == "option 'shared' is already declared by a"
    assert report(registry, "c").error == "option 'port' is already declared by flower"
    assert report(registry, "c").state == "active"
    assert len(caplog.records) == 2


@pytest.mark.parametrize(("extra", "owner"), [(", claims=True", "a"), ("", "flower")])
def test_a_reserved_option_goes_to_the_plugin_that_claims_it(
    write: Write, load: Load, make_core: Callable[..., object], extra: str, owner: str
) -> None:
    core = make_core(flower_options=lambda: [Option("basic_auth", unavailable="nobody checks passwords")])
    registry = load(write("a", option("basic_auth", extra)), core=core)
    assert [plugin for plugin, _ in registry.options()] == [owner]


def test_a_claim_does_not_take_an_option_that_core_uses(write: Write, load: Load) -> None:
    registry = load(write("a", option("port", ", claims=True")))
    assert [plugin for plugin, _ in registry.options()] == ["flower"]


def test_options_are_asked_for_once(write: Write, load: Load) -> None:
    registry = load(write("a", "calls = []\n@hookimpl\ndef flower_options():\n    calls.append(1)\n    return []"))
    registry.options()
    registry.options()
    assert __import__("trial_a").calls == [1]


def test_a_route_belongs_to_the_first_that_takes_it(write: Write, load: Load) -> None:
    source = "@hookimpl\ndef flower_routes(host): return [Route(p, Handler, 'read', 'page', p) for p in {}]"
    first, second = source.format(["/x", "/a", "/a"]), source.format(["/x", "/b"])
    registry = load(write("a", first), write("b", second))
    routes = registry.contributions("flower_routes", host=None)
    assert [(plugin, route.pattern) for plugin, route in routes] == [("a", "/x"), ("a", "/a"), ("b", "/b")]
    assert report(registry, "b").error == "'/x' is already taken by a"


def test_a_path_that_a_pattern_of_another_plugin_answers_is_taken(write: Write, load: Load) -> None:
    """A path wins over patterns, and would take the page of the other one away."""
    source = "@hookimpl\ndef flower_routes(host): return [Route(p, Handler, 'read', 'page', p) for p in {}]"
    first, second = (
        source.format(["/tasks/?", "/task/(?P<id>.+)", "/task/own"]),
        source.format(["/tasks", "/task/x", "/y"]),
    )
    registry = load(write("a", first), write("b", second))
    routes = registry.contributions("flower_routes", host=None)
    assert [route.pattern for plugin, route in routes if plugin == "b"] == ["/y"]
    assert len(routes) == 4
    assert report(registry, "b").error == "'/tasks' is already answered by a; '/task/x' is already answered by a"


def test_a_hook_takes_the_host_only_if_it_names_it(write: Write, load: Load) -> None:
    without = "@hookimpl\ndef flower_nav_items(): return [NavItem('none', '/a')]"
    with_host = "@hookimpl\ndef flower_nav_items(host): return [NavItem(host, '/a')]"
    registry = load(write("a", without), write("b", with_host))
    items = registry.contributions("flower_nav_items", host="the host")
    assert [item.label for _, item in items] == ["none", "the host"]


def test_names_of_offers_and_their_aliases_are_given_once(write: Write, load: Load) -> None:
    registry = load(
        write("a", offer("google", "g")), write("b", offer("google")), write("c", offer("gitlab", "g", "lab"))
    )
    found = [(plugin, each.name, each.aliases) for plugin, each in registry.offers("flower_auth_providers")]
    assert found == [("a", "google", ("g",)), ("c", "gitlab", ("lab",))]
    assert report(registry, "b").error == "offer 'google' is already made by a"
    assert report(registry, "c").error == "alias 'g' already belongs to a"


def test_two_plugins_of_one_name_are_not_mixed_up(write: Write, load: Load) -> None:
    write("first", option("one"))
    write("second", option("two"))
    points = [EntryPoint("same", f"trial_{each}", "flower_plugins") for each in ("first", "second")]
    registry = load(*points)
    assert [(each.name, each.state) for each in registry.reports()[1:]] == [("same", "active"), ("same", "failed")]
    assert "one" in options(registry)
    assert "two" not in options(registry)


@pytest.mark.parametrize("name", ["flower", "flowerconfig"])
def test_the_names_of_core_and_configuration_cannot_be_taken(write: Write, load: Load, name: str) -> None:
    write("thief", option("stolen"))
    registry = load(EntryPoint(name, "trial_thief", "flower_plugins"))
    assert registry.reports()[-1].error == f"the name {name!r} is taken"
    assert "stolen" not in options(registry)


def test_a_disabled_plugin_is_not_even_imported(write: Write, load: Load, good: EntryPoint) -> None:
    registry = load(write("broken", "raise KeyboardInterrupt"), good, disabled=["broken"])
    assert report(registry, "broken").state == "disabled"
    assert report(registry, "good").state == "active"


def test_an_allow_list_switches_off_what_it_does_not_name(
    write: Write, load: Load, good: EntryPoint, caplog: pytest.LogCaptureFixture
) -> None:
    config = {"flower_options": lambda: [Option("mine")]}
    registry = load(write("broken", "raise KeyboardInterrupt"), good, allowed=["good", "goood"], config=config)
    assert report(registry, "broken").state == "disabled"
    assert report(registry, "good").state == "active"
    assert "mine" in options(registry)
    assert "--plugins-allowed names 'goood', which is not installed. Did you mean 'good'?" in caplog.text


@pytest.mark.parametrize(
    ("name", "message"),
    [("goood", "Did you mean 'good'?"), ("xyz", "Installed: good."), ("flower", "cannot be disabled")],
)
def test_disabling_what_is_not_there_stops_the_start(load: Load, good: EntryPoint, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(good, disabled=[name])
    assert message in str(raised.value)
    assert "--disable-plugin" in str(raised.value)


def test_functions_of_the_configuration_file_need_no_mark(load: Load) -> None:
    namespace: dict[str, Any] = {}
    source = "from flower_plugins.hooks import *\nfrom flower_plugins import Option\n"
    source += "def flower_options(): return [Option('mine')]\ndef flower_power(): pass\nport = 1\n"
    exec(source, namespace)
    registry = load(config=namespace)
    assert "mine" in options(registry)
    assert report(registry, "flowerconfig").dist == "flowerconfig.py"
    assert report(registry, "flowerconfig").hooks == ("flower_options",)


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"flower_option": nothing}, "unknown hook 'flower_option'. Did you mean 'flower_options'?"),
        ({"flower_options": 5}, "flower_options is int, expected a function"),
        ({"flower_routes": lambda hist: []}, "{'hist'}"),
    ],
)
def test_a_broken_configuration_hook_is_reported(load: Load, config: dict[str, Any], error: str) -> None:
    registry = load(config=config)
    assert report(registry, "flowerconfig").state == "failed"
    assert error in report(registry, "flowerconfig").error


def test_hooks_of_the_configuration_file_can_be_disabled(load: Load) -> None:
    registry = load(config={"flower_options": lambda: [Option("mine")]}, disabled=["flowerconfig"])
    assert "mine" not in options(registry)
    assert report(registry, "flowerconfig").state == "disabled"


def test_a_configuration_file_without_hooks_is_no_plugin(load: Load) -> None:
    assert [each.name for each in load(config={"port": 5, "help": len}).reports()] == ["flower"]


FORMATTER = "class F:\n    def format(self, task): pass\n@hookimpl\ndef flower_task_formatters(host): return [F()]"


def test_format_task_runs_last_whatever_becomes_of_the_other_functions(write: Write, load: Load) -> None:
    def format_task(task: Any) -> Any:
        task.args = "hidden"
        return task

    registry = load(write("z", FORMATTER), config={"format_task": format_task, "flower_route": nothing})
    formatters = registry.contributions("flower_task_formatters", host=None)
    assert [plugin for plugin, _ in formatters] == ["z", "flowerconfig"]
    assert formatters[-1][1].format(SimpleNamespace(args="secret")).args == "hidden"
    assert report(registry, "flowerconfig").state == "failed"


def test_format_task_alone_makes_the_configuration_file_a_plugin_that_can_fail(load: Load) -> None:
    registry = load(config={"format_task": nothing})
    assert report(registry, "flowerconfig").state == "active"
    registry.fail("flowerconfig", "it raised")
    assert report(registry, "flowerconfig").error == "it raised"


def test_format_task_that_is_no_function_stops_the_start(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"format_task is not a function \(flowerconfig\.py\)"):
        load(config={"format_task": "hide"})


def test_a_plugin_can_be_failed_later(load: Load, good: EntryPoint, caplog: pytest.LogCaptureFixture) -> None:
    registry = load(good)
    registry.fail("good", OSError("its service did not start"))
    registry.fail("good", "something else")
    assert report(registry, "good").error == "OSError: its service did not start"
    assert report(registry, "good").state == "failed"
    assert len(caplog.records) == 1
    with pytest.raises(KeyError):
        registry.fail("nobody", "x")


def test_folders_of_assets_carry_the_name_of_their_plugin(write: Write, load: Load) -> None:
    source = "from pathlib import Path\n@hookimpl\ndef flower_assets(): return [Assets(static=Path(__file__).parent)]"
    ((plugin, assets),) = load(write("a", source)).assets()
    assert plugin == "a"
    assert assets.static is not None
    assert assets.templates is None


def test_every_installed_plugin_of_flower_loads() -> None:
    points = [
        point
        for point in importlib.metadata.entry_points(group="flower_plugins")
        if point.dist is not None and point.dist.metadata["Name"].startswith("flower-")
    ]
    core = SimpleNamespace(flower_options=hookimpl(nothing))
    registry = Registry.load(core=core, config_globals={}, config_path="", entry_points=points)
    registry.options()
    for hook in ("flower_auth_providers", "flower_broker_inspectors", "flower_event_sources", "flower_history_stores"):
        registry.offers(hook)
    assert points
    assert {(each.state, each.error) for each in registry.reports()} == {("active", "")}
