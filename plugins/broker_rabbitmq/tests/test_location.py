"""Where the management API is looked for, and with whose credentials."""

from __future__ import annotations

import ssl

import pytest

from flower_broker_rabbitmq.location import Location, check_api_url, locate
from flower_plugins import Broker


def place(api: str | None, url: str, use_ssl: object = None) -> Location:
    return locate(api, Broker(url, url.partition("://")[0], "", {}, use_ssl))[0]


@pytest.mark.parametrize(
    ("url", "expected", "user", "password"),
    [
        ("amqp://", "http://localhost:15672/api/queues/%2F", "guest", "guest"),
        ("amqp://ann:pw@host:5672//", "http://host:15672/api/queues/%2F", "ann", "pw"),
        ("amqp://ann:pw@host", "http://host:15672/api/queues/%2F", "ann", "pw"),
        ("pyamqp://ann:pw@host/team%2Fa", "http://host:15672/api/queues/team%2Fa", "ann", "pw"),
        ("amqp://a%40b:p%2Fw%3A@host/x y", "http://host:15672/api/queues/x%20y", "a@b", "p/w:"),
        ("amqp://ann:pw@[::1]:5672/v", "http://[::1]:15672/api/queues/v", "ann", "pw"),
        ("amqps://ann:pw@host:5671/v", "https://host:15671/api/queues/v", "ann", "pw"),
    ],
)
def test_the_broker_url_says_where_the_api_is(url: str, expected: str, user: str, password: str) -> None:
    """S39: what is encrypted on the way to the broker is encrypted on the way to its API."""
    found = place(None, url)
    assert (found.url, found.user, found.password) == (expected, user, password)


@pytest.mark.parametrize(
    ("api", "expected", "user"),
    [
        ("http://bob:pw@api:15672/api/", "http://api:15672/api/queues/v", "bob"),
        ("http://bob:pw@api:15672/api", "http://api:15672/api/queues/v", "bob"),
        ("https://bob:pw@api", "https://api/api/queues/v", "bob"),
        ("http://api:15672/api/v", "http://api:15672/api/queues/v", "ann"),
        ("http://api/rabbit/api/", "http://api/rabbit/api/queues/v", "ann"),
        ("http://b%40x:pw@api/", "http://api/api/queues/v", "b@x"),
    ],
)
def test_broker_api_names_the_place_and_may_name_the_user(api: str, expected: str, user: str) -> None:
    found = place(check_api_url(api), "amqp://ann:pw@host/v")
    assert (found.url, found.user) == (expected, user)


@pytest.mark.parametrize(
    ("use_ssl", "verify", "ca_certs"),
    [
        (None, True, None),
        ({"ssl_cert_reqs": ssl.CERT_NONE}, False, None),
        ({"cert_reqs": ssl.CERT_NONE}, False, None),
        ({"ssl_ca_certs": "/ca.pem", "ssl_cert_reqs": ssl.CERT_REQUIRED}, True, "/ca.pem"),
        ({"ca_certs": "/ca.pem"}, True, "/ca.pem"),
    ],
)
def test_certificates_are_checked_as_broker_use_ssl_says(use_ssl: object, verify: bool, ca_certs: str | None) -> None:
    found = place(None, "amqp://host/v", use_ssl)
    assert (found.verify, found.ca_certs) == (verify, ca_certs)
    assert found.url.startswith("https://host:15671/" if use_ssl else "http://host:15672/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://ann:canary@host/api/", "invalid scheme 'ftp', expected 'http' or 'https'"),
        ("ann:canary@host", "invalid scheme"),
        ("http://", "no host in url"),
        ("http://ann:canary@/api/", "no host in url"),
        ("http://ann:canary@host:port/api/", "cannot be read"),
    ],
)
def test_a_url_that_cannot_work_is_explained_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ValueError, match="Invalid '--broker-api' option") as caught:
        check_api_url(url)
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_location_does_not_show_its_password() -> None:
    assert "canary" not in repr(place(None, "amqp://ann:canary@host/v"))


@pytest.mark.parametrize(
    ("url", "use_ssl"),
    [
        ("amqps://ann:canary@host/v", None),
        ("amqp://ann:canary@host/v", True),
        ("amqp://ann:canary@host/v?ssl_ca_certs=/ca.pem", None),
    ],
)
def test_credentials_of_an_encrypted_broker_never_leave_in_clear(url: str, use_ssl: object) -> None:
    """S39"""
    found = place("http://api:15672/api/", url, use_ssl)
    assert (found.user, found.password, found.withheld) == ("guest", "guest", True)
    assert place("http://bob:pw@api:15672/api/", url, use_ssl).user == "bob"
    for api in (None, "https://api/", "http://localhost:15672/api/", "http://[::1]:15672/api/"):
        found = place(api, url, use_ssl)
        assert (found.user, found.withheld) == ("ann", False)


def test_options_of_encryption_may_stand_in_the_url() -> None:
    found = place(None, "amqps://host/v?ssl_ca_certs=/ca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem&heartbeat=3")
    assert found.url == "https://host:15671/api/queues/v"
    assert (found.ca_certs, found.certificate, found.key, found.verify) == ("/ca.pem", "/c.pem", "/k.pem", True)
    assert place(None, "amqp://host/v?ssl_cert_reqs=none").verify is False
    assert place(None, "amqp://host/v?ssl_cert_reqs=none").url.startswith("https:")
    assert place(None, "amqp://host/v?heartbeat=3").url.startswith("http:")
