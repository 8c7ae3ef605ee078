"""Where Flower listens."""

from __future__ import annotations

import errno
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from flower.web import binding as binding_module
from flower.web.binding import Binding, listen, plan
from flower_plugins import ConfigurationError
from flower_plugins.testing import FakeSettings

DEFAULTS = {"port": 5555, "unix_socket": "", "unix_socket_mode": "0660", "address": "", "demo": False}


def planned(*, authenticated: bool = False, container: bool = False, **given: Any) -> Binding:
    settings = FakeSettings(**given)
    settings.values = {**DEFAULTS, **given}
    return plan(settings, authenticated=authenticated, container=container)


@pytest.mark.parametrize(
    ("facts", "addresses", "loopback"),
    [
        ({}, ("127.0.0.1", "::1"), True),
        ({"authenticated": True}, ("",), False),
        ({"container": True}, ("",), False),
        ({"container": True, "demo": True}, ("127.0.0.1", "::1"), True),
        ({"demo": True, "address": "0.0.0.0"}, ("0.0.0.0",), False),
        ({"address": "127.0.0.6"}, ("127.0.0.6",), True),
        ({"address": "localhost"}, ("localhost",), True),
        ({"address": ""}, ("",), False),
        ({"address": None}, ("",), False),
        ({"address": "0.0.0.0"}, ("0.0.0.0",), False),
    ],
)
def test_only_a_login_a_container_or_a_person_opens_the_door(
    facts: dict[str, Any], addresses: tuple[str, ...], loopback: bool
) -> None:
    """S01"""
    binding = planned(**facts)
    assert tuple(binding.addresses) == addresses
    assert binding.loopback_only is loopback


def test_port_zero_is_the_same_free_port_on_every_address() -> None:
    listener = listen(Binding(("127.0.0.1", "::1"), 0), "http")
    try:
        ports = {sock.getsockname()[1] for sock in listener.sockets}
        assert len(ports) == 1
        assert 0 not in ports
        assert listener.urls[0] == f"http://127.0.0.1:{ports.pop()}"
    finally:
        for sock in listener.sockets:
            sock.close()


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
@pytest.mark.parametrize("addresses", [("127.0.0.1", "::1"), ("",), ("localhost",)])
def test_a_machine_without_ipv6_listens_all_the_same(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...], code: int
) -> None:
    real = binding_module._open_one

    def without_ipv6(family: int, place: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(code, "no IPv6 here")
        return real(family, place)

    monkeypatch.setattr(binding_module, "_open_one", without_ipv6)
    listener = listen(Binding(addresses, 0), "http")
    assert {sock.family for sock in listener.sockets} == {socket.AF_INET}
    for sock in listener.sockets:
        sock.close()


def test_another_programs_port_on_one_of_two_addresses_is_an_error() -> None:
    """A browser that opens localhost would reach the other program."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        with pytest.raises(ConfigurationError, match="--port"):
            listen(Binding(("127.0.0.1", "::1"), taken.getsockname()[1]), "http")


def test_a_busy_port_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="--port"):
        listen(Binding(("127.0.0.1",), taken.getsockname()[1]), "http")


def test_a_unix_socket_is_for_its_group_and_a_stale_one_is_replaced(tmp_path: Path) -> None:
    """S43"""
    path = tmp_path / "flower.sock"
    binding = Binding((), 0, str(path))
    assert binding.loopback_only is False
    for _ in range(2):
        listener = listen(binding, "http")
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        for sock in listener.sockets:
            sock.close()


def test_a_unix_socket_in_use_and_a_file_in_its_place_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "flower.sock"
    listener = listen(Binding((), 0, str(path)), "http")
    with pytest.raises(ConfigurationError, match="another program listens"):
        listen(Binding((), 0, str(path)), "http")
    for sock in listener.sockets:
        sock.close()
    plain = tmp_path / "notes"
    plain.write_text("keep me")
    with pytest.raises(ConfigurationError, match="not a socket"):
        listen(Binding((), 0, str(plain)), "http")
    assert plain.read_text() == "keep me"
