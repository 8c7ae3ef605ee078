from __future__ import annotations

from flower_dashboard import plugin
from flower_plugins.testing import PluginContract


class TestDashboard(PluginContract):
    plugin = plugin


def test_every_route_is_documented_by_a_help_text():
    for route in TestDashboard().call("flower_routes"):
        assert route.help
        assert all(param.help or param.name in ("offset", "limit") for param in route.params), route


def test_actions_need_more_than_reading():
    access = {route.name: route.access for route in TestDashboard().call("flower_routes") if route.access != "read"}
    assert access == {
        "worker-shutdown": "admin",
        "worker-pool-restart": "admin",
        "worker-pool-grow": "write",
        "worker-pool-shrink": "write",
        "worker-autoscale": "write",
        "worker-consumer-add": "write",
        "worker-consumer-cancel": "write",
        "worker-rate-limit": "write",
        "worker-time-limit": "write",
        "worker-forget": "write",
        "workers-order": "write",
        "task-revoke": "write",
        "tasks-revoke": "write",
        "task-abort": "write",
    }
