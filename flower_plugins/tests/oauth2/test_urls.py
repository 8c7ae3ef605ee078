"""Addresses of providers."""

from __future__ import annotations

import pytest

from flower_plugins import ConfigurationError
from flower_plugins.oauth2 import base_url, goes_in_clear, url_option
from flower_plugins.testing import offer_context


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("gitlab.com", "https://gitlab.com"),
        (" gitlab.com ", "https://gitlab.com"),
        ("gitlab.example.com:8443", "https://gitlab.example.com:8443"),
        ("https://example.com/gitlab/", "https://example.com/gitlab"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("localhost", "https://localhost"),
        ("[::1]:3000", "https://[::1]:3000"),
    ],
)
def test_a_host_means_https(text: str, url: str) -> None:
    assert base_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "https://",
        "ftp://example.com",
        "javascript://example.com",
        "https://user:secret@example.com",
        "https://user@example.com",
        "https://example.com?a=b",
        "https://example.com#a",
        "https://example.com:0",
        "https://example.com:99999",
        "https://example.com:x",
        "exa mple.com",
        "example.com\\evil.example",
        "ex\u00e4mple.com",
        'example.com/"',
        "https://[::1",
        "/path",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        base_url(text)


def test_an_option_that_is_no_address_names_itself_and_its_origin() -> None:
    with pytest.raises(ConfigurationError, match=r"some_domain: not the address of a server.*\(test\)"):
        url_option(offer_context(some_domain="ftp://x").settings, "some_domain")


@pytest.mark.parametrize(
    ("url", "in_clear"),
    [
        ("https://example.com", False),
        ("http://localhost:5555/login", False),
        ("http://flower.localhost/", False),
        ("http://127.0.0.1", False),
        ("http://127.8.9.1", False),
        ("http://[::1]:1", False),
        ("http://flower.example.com/login", True),
        ("http://localhost.example.com", True),
        ("http://192.168.1.1", True),
        ("http://[::2]", True),
        ("http://127.0.0.1.example.com", True),
        ("http:///login", True),
    ],
)
def test_plain_http_is_safe_on_this_machine_only(url: str, in_clear: bool) -> None:
    assert goes_in_clear(url) is in_clear
