"""Posture 1 and 2: what is said of a server that is open."""

from __future__ import annotations

import pytest

from flower.web.posture import Posture, Weakness


@pytest.mark.parametrize(
    ("authenticated", "loopback_only", "open_api", "reasons", "level"),
    [
        (True, False, False, [], ""),
        (True, False, True, [], ""),
        (False, True, False, [], ""),
        (False, True, True, ["unauthenticated_api"], ""),
        (False, False, False, ["no_auth"], "warning"),
        (False, False, True, ["no_auth", "unauthenticated_api"], "danger"),
    ],
)
def test_an_open_door_is_named_and_pages_say_so_where_others_can_come(
    authenticated: bool, loopback_only: bool, open_api: bool, reasons: list[str], level: str
) -> None:
    posture = Posture(authenticated, loopback_only, open_api, read_only=False)
    assert posture.insecure() == reasons
    assert [banner.level for banner in posture.banners()] == [level] * bool(level)
    assert all("--basic_auth=user:password" in banner.text for banner in posture.banners())


def test_what_else_is_not_safe_stands_in_the_same_list_once_per_reason_and_on_no_page() -> None:
    further = [Weakness("no_tls", "a", "b"), Weakness("x", "c", "d"), Weakness("x", "e", "f")]
    posture = Posture(authenticated=True, loopback_only=False, open_api=False, read_only=False, further=further)
    assert posture.insecure() == ["no_tls", "x"]
    assert posture.weaknesses() == further
    assert posture.banners() == []


def test_a_unix_socket_is_not_mended_by_an_address() -> None:
    asked = {"authenticated": False, "loopback_only": False, "open_api": False, "read_only": False}
    (there,), (here,) = Posture(**asked).banners(), Posture(**asked, unix_socket=True).banners()
    assert "--address=127.0.0.1" in there.text
    assert "--address" not in here.text
