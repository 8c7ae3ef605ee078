from __future__ import annotations

import pytest
from flower_trace_panel import plugin

from flower_dashboard import plugin as dashboard
from flower_dashboard.renderer import JinjaRenderer
from flower_plugins import TaskPanel
from flower_plugins.testing import FakeHost, FakeTask, PluginContract, TaskPanelContract, offer_context

URL = "https://traces.example.com/search?task={uuid}"


class TestPlugin(PluginContract):
    plugin = plugin


def panel(url: str = URL) -> TaskPanel:
    (made,) = plugin.flower_task_panels(FakeHost(trace_url=url))
    return made


class TestPanel(TaskPanelContract):
    def make(self) -> TaskPanel:
        return panel()


def test_the_panel_links_to_the_trace() -> None:
    host = FakeHost(options=dashboard.flower_options())
    renderer = JinjaRenderer(offer_context(*dashboard.flower_options()))
    renderer.open(host, [assets.templates for assets in (*dashboard.flower_assets(), *plugin.flower_assets())])
    host.renderer, host.panels = renderer.render, [panel()]
    (drawn,) = host.task_panels(FakeTask("a/<b>"))
    assert 'href="https://traces.example.com/search?task=a%2F%3Cb%3E"' in drawn.html


def test_without_an_address_there_is_no_panel() -> None:
    host = FakeHost()
    host.panels = [panel("")]
    assert host.task_panels(FakeTask("a")) == []


def test_an_address_that_is_none_is_refused_at_the_start() -> None:
    (option,) = plugin.flower_options()
    assert option.check is not None
    assert option.check(URL) == URL
    with pytest.raises(ValueError, match="https://"):
        option.check("javascript:alert(1)")
