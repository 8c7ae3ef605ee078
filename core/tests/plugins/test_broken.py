"""A broken plugin costs only itself: it is reported, warned of once, and the rest works."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest

from flower.plugins import Registry
from flower_plugins import PluginReport

Write = Callable[[str, str], EntryPoint]
Load = Callable[..., Registry]

AT_LOAD = {
    "import error": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "syntax error": ("def (", "SyntaxError"),
    "raises at import": ("raise RuntimeError('two\\nlines \\x1b[31m')", r"RuntimeError: two lines \x1b[31m"),
    "sys.exit at import": ("import sys; sys.exit(3)", "sys.exit(3)"),
    "wrong API version": ("FLOWER_API_VERSION = 2\n@hookimpl\ndef flower_assets(): return []", "plugin API 2"),
    "no hooks": ("x = 1", "module without hook functions"),
    "misspelt hook": (
        "@hookimpl\ndef flower_route(host): return []",
        "unknown hook 'flower_route'. Did you mean 'flower_routes'?",
    ),
    "foreign hook": ("@hookimpl\ndef order_pizza(): return []", "unknown hook 'order_pizza'"),
    "unmarked hook": ("def flower_routes(host): return []", "flower_routes is not marked with @hookimpl"),
    "unknown argument": ("@hookimpl\ndef flower_routes(hist): return []", "{'hist'}"),
    "async hook": ("@hookimpl\nasync def flower_routes(host): return []", "flower_routes is async"),
    "hook wrapper": ("@hookimpl(wrapper=True)\ndef flower_routes(host): return (yield)", "is a hook wrapper"),
}

AT_CALL = {
    "raises": ("raise ValueError('no')", "flower_routes raised ValueError: no"),
    "sys.exit": ("raise SystemExit(1)", "flower_routes raised sys.exit(1)"),
    "none": ("return None", "flower_routes returned NoneType, expected a list"),
    "text": ("return '/hello'", "flower_routes returned str, expected a list"),
    "wrong item": ("return ['/hello']", "flower_routes: str is not a Route"),
    "wrong model": ("return [NavItem('a', '/a')]", "NavItem is not a Route"),
    "access": ("return [Route('/a', Handler, 'everybody', 'page', 'a')]", "has access 'everybody'"),
    "no access": ("return [Route('/a', Handler, None, 'page', 'a')]", "has access None"),
    "surface": ("return [Route('/a', Handler, 'read', 'screen', 'a')]", "has surface 'screen'"),
    "handler's name": ("return [Route('/a', 'pages.Page', 'read', 'page', 'a')]", "expected 'package.module:Class'"),
    "handler": ("return [Route('/a', object, 'read', 'page', 'a')]", "not a subclass of flower_plugins.web.Handler"),
    "pattern": ("return [Route('/(', Handler, 'read', 'page', 'a')]", "unterminated"),
    "param": ("return [Route('/a', Handler, 'read', 'page', 'a', params=['x'])]", "is not a Param"),
    "strange": ("class E(Exception):\n        def __str__(self): raise E\n    raise E", "E: unprintable"),
}


def report(registry: Registry, name: str) -> PluginReport:
    return next(each for each in registry.reports() if each.name == name)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(("source", "error"), AT_LOAD.values(), ids=AT_LOAD)
def test_what_is_wrong_at_load_costs_that_plugin_alone(
    write: Write, load: Load, good: EntryPoint, source: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = load(write("broken", source), good)
    assert report(registry, "broken").state == "failed"
    assert error in report(registry, "broken").error
    assert report(registry, "good").state == "active"
    assert [plugin for plugin, _ in registry.options()] == ["flower", "good"]
    assert [plugin for plugin, _ in registry.contributions("flower_routes", host=None)] == ["good"]
    assert len(warnings(caplog)) == 1
    assert "Plugin broken failed" in warnings(caplog)[0]


@pytest.mark.parametrize(("body", "error"), AT_CALL.values(), ids=AT_CALL)
def test_what_is_wrong_in_a_hook_costs_that_plugin_alone(
    write: Write, load: Load, good: EntryPoint, body: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = load(write("broken", f"@hookimpl\ndef flower_routes(host):\n    {body}\n"), good)
    assert report(registry, "broken").state == "active"
    assert [plugin for plugin, _ in registry.contributions("flower_routes", host=None)] == ["good"]
    assert report(registry, "broken").state == "failed"
    assert error in report(registry, "broken").error
    assert len(warnings(caplog)) == 1
    assert report(registry, "good").state == "active"


@pytest.mark.parametrize("value", ["trial_broken:nothing", "trial_broken:number", "trial_broken:Hooks", "not a path"])
def test_an_entry_point_of_the_wrong_type_is_refused(
    write: Write, load: Load, good: EntryPoint, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    write("broken", "number = 5\nnothing = None\nclass Hooks:\n    @hookimpl\n    def flower_assets(self): return []\n")
    registry = load(EntryPoint("broken", value, "flower_plugins"), good)
    assert report(registry, "broken").state == "failed"
    assert report(registry, "good").state == "active"
    assert len(warnings(caplog)) == 1


def test_an_instance_with_hook_methods_is_a_plugin(write: Write, load: Load) -> None:
    write(
        "object", "class Hooks:\n    @hookimpl\n    def flower_options(self): return [Option('mine')]\nplugin = Hooks()"
    )
    registry = load(EntryPoint("object", "trial_object:plugin", "flower_plugins"))
    assert [option.name for plugin, option in registry.options() if plugin == "object"] == ["mine"]


def test_a_key_pressed_during_an_import_still_ends_the_start(write: Write, load: Load) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(write("broken", "raise KeyboardInterrupt"))


def test_a_failed_plugin_is_asked_nothing_more(write: Write, load: Load) -> None:
    source = "@hookimpl\ndef flower_options(): 1 / 0\n@hookimpl\ndef flower_routes(host): raise SystemExit"
    registry = load(write("broken", source))
    registry.options()
    assert registry.contributions("flower_routes", host=None) == []
    assert (
        report(registry, "broken").error
        == "flower_options raised ZeroDivisionError: division by zero (trial_broken.py:5)"
    )


def test_a_plugin_with_one_wrong_item_contributes_none(write: Write, load: Load) -> None:
    source = "@hookimpl\ndef flower_nav_items(host): return [NavItem('a', '/a'), NavItem('b', 'b')]"
    registry = load(write("broken", source))
    assert registry.contributions("flower_nav_items", host=None) == []


def test_a_fault_of_core_itself_is_not_hidden(load: Load, make_core: Callable[..., object]) -> None:
    registry = load(core=make_core(flower_assets=lambda: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        registry.assets()


WRONG_ITEMS = {
    "flower_assets": ["Assets(templates='templates')", "5"],
    "flower_auth_providers": [
        "Offer('', 'a:B')",
        "Offer('a', 'a.B')",
        "Offer('a', '')",
        "Offer('a', 'a:B', aliases='x')",
    ],
    "flower_event_sinks": ["5", "EventSink"],
    "flower_metric_exporters": ["5"],
    "flower_metric_sources": ["5"],
    "flower_nav_items": ["NavItem('a', 'a')", "5"],
    "flower_options": [
        "Option('Bad-Name')",
        "Option('x', list)",
        "Option('x', choices='abc')",
        "Option('x', float, 'five')",
        "Option('x', int, True)",
        "Option('x', str, 5)",
        "Option('x', str, 'a', multiple=True)",
        "Option('x', str, (5,), multiple=True)",
        "5",
    ],
    "flower_services": ["5", "type('S', (Service,), {'start': 1, 'stop': 1})()"],
    "flower_task_columns": [
        "5",
        "TaskColumn('Bad Slug', 'T', str)",
        "TaskColumn('runtime', 'T', str)",
        "TaskColumn('all', 'T', str)",
        "TaskColumn('a', '', str)",
        "TaskColumn('a', 'T', 'text')",
        "TaskColumn('a', 'T', str, 'html')",
        "TaskColumn('a', 'T', fetch)",
    ],
    "flower_task_panels": [
        "5",
        "TaskPanel('', 'T', str)",
        "TaskPanel('a', None, str)",
        "TaskPanel('a', 'T')",
        "TaskPanel('a', 'T', 'text')",
        "TaskPanel('a', 'T', fetch)",
        "TaskPanel('a', 'T', str, order='first')",
        "TaskPanel('a', 'T', str, template=5)",
    ],
    "flower_task_formatters": ["5", "type('F', (), {'format': 1})()"],
}


@pytest.mark.parametrize(("hook", "item"), [(hook, item) for hook, items in WRONG_ITEMS.items() for item in items])
def test_every_hook_is_held_to_its_model(write: Write, load: Load, hook: str, item: str) -> None:
    registry = load(write("broken", f"async def fetch(task): ...\n@hookimpl\ndef {hook}(): return [{item}]"))
    if hook == "flower_options":
        assert [plugin for plugin, _ in registry.options()] == ["flower"]
    else:
        assert registry.contributions(hook) == []
    assert report(registry, "broken").state == "failed"
    assert report(registry, "broken").error.startswith(f"{hook}: ")
