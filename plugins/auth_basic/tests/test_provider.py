"""Who gets in by HTTP Basic authentication."""

from __future__ import annotations

import asyncio
import base64
from types import SimpleNamespace
from typing import Any

import pytest

from flower_auth_basic import plugin
from flower_auth_basic.provider import BasicAuthProvider
from flower_auth_basic.userfile import Users
from flower_plugins import ConfigurationError, Identity, TooManyAttempts
from flower_plugins.testing import offer_context


def identify(entries: tuple[str, ...], header: str) -> Identity | None:
    provider = BasicAuthProvider(offer_context(*plugin.flower_options(), basic_auth=entries))
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
    option = plugin.flower_options()[0]
    assert option.check is not None
    with pytest.raises(ValueError, match="user:password"):
        option.check(entry)


def test_a_blank_after_the_comma_is_not_part_of_the_name() -> None:
    option = plugin.flower_options()[0]
    assert option.check is not None
    assert option.check(" bob:y z ") == "bob:y z "


def test_an_empty_list_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="basic_auth is empty"):
        BasicAuthProvider(offer_context(*plugin.flower_options(), basic_auth=()))


def test_a_refusal_does_not_quote_the_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        BasicAuthProvider(offer_context(*plugin.flower_options(), basic_auth=("canary",)))
    assert "canary" not in caught.value.message


class Door:
    """One provider, asked in one event loop, as a server does."""

    def __init__(self, **settings: Any) -> None:
        self.provider = BasicAuthProvider(offer_context(*plugin.flower_options(), **settings))

    async def ask(self, credentials: str, address: str = "::1") -> Identity | None:
        header = f"Basic {encoded(credentials.encode())}"
        request: Any = SimpleNamespace(method="GET", path="/", remote_ip=address, headers={"Authorization": header})
        return await self.provider.identify(request)


def test_a_list_and_a_file_may_be_given_together(files: Any) -> None:
    path = files.write(f"bob:{files.bcrypt('y')}", f"ann:{files.argon2('z')}")
    door = Door(basic_auth=("ann:x",), basic_auth_file=str(path))

    async def scenario() -> list[str]:
        tried = ["ann:x", "ann:z", "bob:y", "bob:x", "ann:y", "eve:x"]
        return [credentials for credentials in tried if await door.ask(credentials)]

    assert asyncio.run(scenario()) == ["ann:x", "ann:z", "bob:y"]


def test_a_password_is_hashed_once_and_not_again_until_the_file_changes(
    files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files.write(f"ann:{files.bcrypt('x')}")
    door = Door(basic_auth_file=str(path))
    checked: list[str] = []
    verify = Users.verify

    def counted(users: Users, user: str, password: bytes) -> bool:
        checked.append(user)
        return verify(users, user, password)

    monkeypatch.setattr(Users, "verify", counted)

    async def scenario() -> None:
        assert all(await asyncio.gather(*(door.ask("ann:x") for _ in range(20))))
        assert await door.ask("ann:x", "2001:db8::2")
        assert checked == ["ann"]
        assert await door.ask("ann:y") is None
        assert await door.ask("ann:y") is None
        assert checked == ["ann"] * 3
        files.write(f"ann:{files.bcrypt('y')}")
        deadline = asyncio.get_running_loop().time() + 10
        while await door.ask("ann:x"):
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.02)
        assert await door.ask("ann:y", "2001:db8::2")

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["listed", "in a file"])
def test_too_many_failures_delay_even_the_right_password_of_that_pair(files: Any, kind: str) -> None:
    """S31"""
    path = files.write(f"ann:{files.bcrypt('x')}", f"bob:{files.bcrypt('x')}")
    door = Door(basic_auth=("ann:x", "bob:x")) if kind == "listed" else Door(basic_auth_file=str(path))

    async def scenario() -> None:
        assert await door.ask("ann:x")
        for number in range(10):
            assert await door.ask(f"ann:{number}") is None
        assert await door.ask("ann:x"), "ten failures are allowed"
        for credentials in ("ann:10", "ann:x", "ann:11"):
            with pytest.raises(TooManyAttempts) as caught:
                await door.ask(credentials)
            assert 50 <= caught.value.retry_after <= 60
        assert await door.ask("bob:x")
        assert await door.ask("ann:x", "2001:db8::2")

    asyncio.run(scenario())


def test_hashing_does_not_hold_up_the_event_loop(files: Any) -> None:
    """S31"""
    door = Door(basic_auth_file=str(files.write(f"ann:{files.bcrypt('x', 12)}")))

    async def scenario() -> int:
        asked = asyncio.ensure_future(door.ask("ann:x"))
        turns = 0
        while not asked.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert await asked
        return turns

    assert asyncio.run(scenario()) > 10
