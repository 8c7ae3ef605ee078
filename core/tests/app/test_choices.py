"""What the settings name is what runs, or the start stops."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from flower.app.choices import Choices
from flower.plugins import Registry
from flower.settings import load
from flower_plugins import AuthProvider, Broker, ConfigurationError, Identity, Offer, Option, Request, hookimpl

BROKER = Broker("memory://", "memory", "memory://", {})


class Nobody(AuthProvider):
    """Lets nobody in."""

    async def identify(self, request: Request) -> Identity | None:
        return None


def sso(providers: Callable[[], Any]) -> SimpleNamespace:
    """Return a plugin whose option --sso asks for a login, with the given hook for providers."""
    option = Option("sso", help="Ask for a login.", claims=True)
    return SimpleNamespace(
        flower_options=hookimpl(lambda: [option]), flower_auth_providers=hookimpl(providers), __name__="sso"
    )


def nothing() -> list[Any]:
    return []


def choices(plugin: Any, *words: str) -> Choices:
    point = SimpleNamespace(name="sso", value="sso", group="flower_plugins", dist=None, load=lambda: plugin)
    registry = Registry.load(
        core=SimpleNamespace(flower_nav_items=hookimpl(nothing)),
        config_globals={},
        config_path="",
        entry_points=[point],  # type: ignore[list-item]
    )
    settings = load(words, options=registry.options(), environ={}, cwd="/")
    return Choices(registry, settings, BROKER)


def offer(**changes: Any) -> list[Offer[AuthProvider]]:
    return [Offer("sso", f"{__name__}:Nobody", when="sso", **changes)]


def test_an_option_chooses_its_provider() -> None:
    (provider,) = choices(sso(offer), "--sso=x").providers()
    assert type(provider).__name__ == "Nobody"
    assert choices(sso(offer)).providers() == []


def broken() -> list[Offer[AuthProvider]]:
    raise RuntimeError("no")


@pytest.mark.parametrize("providers", [broken, nothing, lambda: "nonsense"])
def test_a_login_that_was_asked_for_and_does_not_come_stops_the_start(providers: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError, match="sso asks for a login, and plugin sso provides none"):
        choices(sso(providers), "--sso=x").providers()


def test_a_login_that_is_not_available_stops_the_start_with_its_reason() -> None:
    with pytest.raises(ConfigurationError, match="only on Sundays"):
        choices(sso(lambda: offer(unavailable="only on Sundays")), "--sso=x").providers()
