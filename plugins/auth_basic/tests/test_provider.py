"""Who gets in by HTTP Basic authentication."""

from __future__ import annotations

import asyncio
import base64
from types import SimpleNamespace
from typing import Any

import pytest

from flower_auth_basic import plugin
from flower_auth_basic.provider import BasicAuthProvider
from flower_plugins import ConfigurationError, Identity
from flower_plugins.testing import offer_context


def identify(entries: tuple[str, ...], header: str) -> Identity | None:
    provider = BasicAuthProvider(offer_context(basic_auth=entries))
    request: Any = SimpleNamespace(method="GET", path="/", remote_ip="127.0.0.1", headers={"Authorization": header})
    return asyncio.run(provider.identify(request))


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "bAsIc"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    """S33."""
    assert identify(("ann:x",), f"{scheme} {encoded(b'ann:x')}") == Identity("ann", "basic")


@pytest.mark.parametrize("entry", ["ann:a:b::c", "jürgen:größe", "ann: blank ", "ann:日本", "ann:x"])
def test_every_listed_user_gets_in_whatever_the_letters(entry: str) -> None:
    """S32."""
    entries = ("first:one", entry, "last:two")
    identity = identify(entries, f"Basic {encoded(entry.encode())}")
    assert identity == Identity(entry.partition(":")[0], "basic")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YW5uOng",
        "Basic YW5uOng= trailing",
        "Basic \u00fc",
        f"Basic {encoded(b'annx')}",
        f"Basic {encoded(bytes([0xFC]) + b':x')}",
        f"Basic {encoded(b'ann:x' + bytes(1))}",
        f"Basic {encoded(b'ann:' + b'x' * 9000)}",
        f"Bearer {encoded(b'ann:x')}",
    ],
)
def test_a_header_that_is_not_the_right_one_lets_nobody_in(header: str) -> None:
    assert identify(("ann:x",), header) is None


def test_a_user_cannot_enter_with_the_password_of_another() -> None:
    assert identify(("ann:x", "bob:y"), f"Basic {encoded(b'ann:y')}") is None


def test_the_challenge_is_the_one_of_flower_2() -> None:
    assert BasicAuthProvider.challenge == 'Basic realm="flower"'


@pytest.mark.parametrize("entry", ["", "ann", "ann:", ":x", ":", "   "])
def test_an_entry_that_could_lock_out_or_open_up_is_refused(entry: str) -> None:
    (option,) = plugin.flower_options()
    assert option.check is not None
    with pytest.raises(ValueError, match="user:password"):
        option.check(entry)


def test_a_blank_after_the_comma_is_not_part_of_the_name() -> None:
    (option,) = plugin.flower_options()
    assert option.check is not None
    assert option.check(" bob:y z ") == "bob:y z "


def test_an_empty_list_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="basic_auth is empty"):
        BasicAuthProvider(offer_context(basic_auth=()))


def test_a_refusal_does_not_quote_the_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        BasicAuthProvider(offer_context(basic_auth=("canary",)))
    assert "canary" not in caught.value.message
