from __future__ import annotations

from typing import Any

import pytest
from flower.demo.run import DemoSettings


class Given:
    """The settings a user gave."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name, "")

    def given(self, name: str) -> bool:
        return name in self.values

    def origin(self, name: str) -> str:
        return "the command line" if name in self.values else "the default"


def test_the_demo_listens_on_loopback_unless_told_otherwise() -> None:
    settings = DemoSettings(Given())
    assert (settings["address"], settings.given("address"), settings.origin("address")) == ("127.0.0.1", True, "--demo")


@pytest.mark.parametrize(("name", "value"), [("address", "0.0.0.0"), ("unix_socket", "/run/flower.sock")])
def test_an_address_of_the_users_own_is_kept(name: str, value: str) -> None:
    settings = DemoSettings(Given(**{name: value}))
    assert (settings[name], settings.origin(name)) == (value, "the command line")
    assert settings.given("address") == (name == "address")


def test_other_settings_pass_through() -> None:
    settings = DemoSettings(Given(port=7777))
    assert (settings["port"], settings.given("port"), settings.given("db")) == (7777, True, False)
