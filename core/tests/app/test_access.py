"""Which logins are complete, and what the others are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flower.app.access import make_door, session_folder
from flower.app.choices import Choices
from flower.plugins import Registry
from flower.settings import EffectiveSettings, load
from flower.web.door import Door
from flower_plugins import AuthProvider, Broker, ConfigurationError, Identity, Offer, Option, Request, hookimpl
from flower_plugins.testing import FakeLoginProvider

BROKER = Broker("memory://", "memory", "memory://", {})
KEYS = ["--oauth2_key=k", "--oauth2_secret=s", "--oauth2_redirect_uri=http://localhost:5555/login"]
AUTH = "--auth=.*@example.com"
LONG = "x" * 32


class Basic(AuthProvider):
    """Knows nobody."""

    async def identify(self, request: Request) -> Identity | None:
        return None


def nothing() -> list[Any]:
    return []


def plugin(*offers: Offer[AuthProvider]) -> SimpleNamespace:
    options = [
        Option("basic_auth", claims=True),
        Option("persistent", bool, False),
        Option("db", default="flower"),
    ]
    return SimpleNamespace(
        flower_options=hookimpl(lambda: options),
        flower_auth_providers=hookimpl(lambda: list(offers)),
        __name__="logins",
    )


def offers(*names: str) -> list[Offer[AuthProvider]]:
    basic: Offer[AuthProvider] = Offer("basic", f"{__name__}:Basic", when="basic_auth")
    fake = f"{FakeLoginProvider.__module__}:FakeLoginProvider"
    return [basic, *(Offer[AuthProvider](name, fake, aliases=(f"old.path.{name}",)) for name in names)]


def made(words: Sequence[str], names: Sequence[str] = ("google", "github")) -> tuple[EffectiveSettings, Sequence[Any]]:
    loaded = plugin(*offers(*names))
    point = SimpleNamespace(name="logins", value="logins", group="flower_plugins", dist=None, load=lambda: loaded)
    registry = Registry.load(
        core=SimpleNamespace(flower_nav_items=hookimpl(nothing)),
        config_globals={},
        config_path="",
        entry_points=[point],  # type: ignore[list-item]
    )
    settings = load(words, options=registry.options(), environ={}, cwd="/")
    return settings, Choices(registry, settings, BROKER).providers()


def door(*words: str, names: Sequence[str] = ("google", "github")) -> Door | None:
    settings, providers = made(words, names)
    return make_door(settings, providers, "")


def test_nothing_asks_for_a_login() -> None:
    assert door() is None
    assert door("--basic_auth=a:b") is None
    assert door("--cookie_secret=short") is None


@pytest.mark.parametrize("named", [[], ["--auth_provider=github"], ["--auth_provider=old.path.github"]])
def test_a_complete_login_has_a_door(named: list[str]) -> None:
    opened = door(AUTH, *KEYS, *named)
    assert opened is not None
    assert opened.may_enter(Identity("ann@example.com", "github"))
    assert not opened.may_enter(Identity("ann@example.org", "github"))


def test_basic_comes_before_the_login_page() -> None:
    _, providers = made([AUTH, *KEYS, "--basic_auth=a:b"])
    assert [type(provider).__name__ for provider in providers] == ["Basic", "FakeLoginProvider"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([AUTH], "oauth2_key is missing"),
        ([AUTH, *KEYS[1:]], "oauth2_key is missing"),
        ([AUTH, KEYS[0], KEYS[2]], "oauth2_secret is missing"),
        ([AUTH, *KEYS[:2]], "oauth2_redirect_uri is missing"),
        ([AUTH, *KEYS[:2], "--oauth2_redirect_uri=flower.example.com/login"], "is no address of a page"),
        ([AUTH, *KEYS[:2], "--oauth2_redirect_uri=http://[::1/login"], "is no address of a page"),
        ([AUTH, *KEYS[:2], "--oauth2_redirect_uri=javascript:alert(1)"], "is no address of a page"),
        ([*KEYS, "--auth_provider=github"], "auth_provider is set without auth"),
        ([*KEYS, "--auth_provider=github", "--auth= "], "auth_provider is set without auth"),
        (KEYS[:1], "oauth2_key is set, and no login uses it"),
        ([*KEYS, "--basic_auth=a:b"], "oauth2_key is set, and no login uses it"),
        (["--auth=a@x.com|", *KEYS], "one of its alternatives is empty"),
        (["--auth=.+@x.com", *KEYS], "Invalid '--auth' option: .+@x.com"),
        ([AUTH, *KEYS, "--auth_provider=gogle"], "Did you mean 'google'"),
        ([AUTH, *KEYS, "--auth_provider=gitlab"], "pip install 'flower[gitlab]'"),
        ([AUTH, *KEYS, "--cookie_secret=changeme"], "shorter than 32 bytes"),
        ([AUTH, *KEYS, f"--cookie_secret={LONG},changeme"], "token_urlsafe"),
        (["--basic_auth=a:b", "--cookie_secret=changeme"], "shorter than 32 bytes"),
        ([AUTH, *KEYS, "--auth_provider=no.such.module.Handler"], "No module named 'no'"),
        ([AUTH, *KEYS, "--auth_provider=flower_plugins:Identity"], "is not a Tornado handler"),
        ([AUTH, *KEYS, "--auth_provider=flower_plugins.Nothing"], "has no attribute 'Nothing'"),
    ],
)
def test_half_a_login_stops_the_start(words: list[str], sentence: str) -> None:
    """S22, S29, S54"""
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        door(*words)


def test_without_google_somebody_has_to_be_named() -> None:
    with pytest.raises(ConfigurationError, match=r"pip install 'flower\[google\]'"):
        door(AUTH, *KEYS, names=())


def test_a_secret_never_stands_in_the_message() -> None:
    """S35"""
    with pytest.raises(ConfigurationError) as raised:
        door(AUTH, *KEYS, "--cookie_secret=canary")
    assert "canary" not in raised.value.message


def test_where_sessions_are_kept(tmp_path: Path) -> None:
    """S30"""
    settings, _ = made([f"--data_dir={tmp_path}"])
    assert session_folder(settings) == tmp_path / "sessions"
    settings, _ = made(["--persistent", f"--db={tmp_path}/flower"])
    assert session_folder(settings) == tmp_path / "flower.sessions"
    settings, _ = made([])
    assert session_folder(settings) is None


def test_a_folder_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ConfigurationError, match="chmod o-w"):
        door(AUTH, *KEYS, f"--data_dir={tmp_path}/open")
    (tmp_path / "open").chmod(0o1777)
    assert door(AUTH, *KEYS, f"--data_dir={tmp_path}/open")


@pytest.mark.parametrize("option", [["--data_dir={}"], ["--persistent", "--db={}/flower"]])
@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_somebody_has_planted_is_refused(tmp_path: Path, option: list[str], mode: int) -> None:
    """S28: whoever knows the secret that is kept there can log in as anybody."""
    shared, theirs = tmp_path / "shared", tmp_path / "theirs"
    shared.mkdir()
    theirs.mkdir()
    (theirs / "cookie_secret").write_text("known " * 8)
    for name in ("sessions", "flower.sessions"):
        (shared / name).symlink_to(theirs)
    shared.chmod(mode)
    with pytest.raises(ConfigurationError, match=r"somebody else|chmod o-w"):
        door(AUTH, *KEYS, *(word.format(shared) for word in option))


def test_a_given_secret_comes_before_a_kept_one(tmp_path: Path) -> None:
    """S30"""
    kept, given = door(AUTH, *KEYS, f"--data_dir={tmp_path}"), door(AUTH, *KEYS, f"--cookie_secret={LONG}")
    again = door(AUTH, *KEYS, f"--data_dir={tmp_path}")
    assert kept is not None
    assert again is not None
    assert given is not None
    assert kept.keys.versions == again.keys.versions
    assert set(given.keys.versions.values()) == {LONG}
