"""Where broker URLs point."""

from __future__ import annotations

import logging
import ssl
from typing import Any

import pytest

from flower_broker_redis.inspector import RedisInspector
from flower_broker_redis.location import Location, locate
from flower_plugins import Broker, ConfigurationError, OfferContext
from flower_plugins.testing import FakeSettings


def place(url: str, use_ssl: object = None, **options: object) -> Location:
    return locate(Broker(url, url.partition("://")[0], "", dict(options), use_ssl))[0]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", {"host": "127.0.0.1", "port": 6379, "db": 0, "username": None, "password": None}),
        ("redis://host:1/", {"host": "host", "port": 1, "db": 0}),
        ("redis://host/3", {"host": "host", "port": 6379, "db": 3}),
        ("redis://:p%40ss%2F@host:1/3", {"username": None, "password": "p@ss/", "host": "host"}),
        ("redis://user%40x:pw@host:1/3", {"username": "user@x", "password": "pw"}),
        ("redis://[::1]:1/3", {"host": "::1", "port": 1}),
        ("redis+socket:///run/redis.sock", {"unix_socket_path": "/run/redis.sock", "db": 0}),
        ("redis+socket:///run/redis.sock?virtual_host=4", {"unix_socket_path": "/run/redis.sock", "db": 4}),
        ("redis+socket://user:pw@/run/r.sock?virtual_host=/4", {"username": "user", "password": "pw", "db": 4}),
        ("rediss://host:1/2", {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": False, "db": 2}),
        (
            "rediss://host/2?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem",
            {"ssl": True, "ssl_cert_reqs": "required", "ssl_ca_certs": "/ca.pem"},
        ),
        ("rediss://host/2?ssl_cert_reqs=CERT_OPTIONAL", {"ssl": True, "ssl_cert_reqs": "optional"}),
        ("rediss://host/2?ssl_check_hostname=false", {"ssl": True, "ssl_check_hostname": False}),
    ],
)
def test_a_url_gives_the_arguments_of_a_client(url: str, expected: dict[str, Any]) -> None:
    options = place(url).options
    assert {name: options.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("use_ssl", "expected"),
    [
        (True, {"ssl": True}),
        ({"ssl_cert_reqs": ssl.CERT_NONE}, {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": False}),
        (
            {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": "/ca.pem", "ssl_keyfile": "/k", "other": 1},
            {"ssl": True, "ssl_cert_reqs": "required", "ssl_ca_certs": "/ca.pem", "ssl_keyfile": "/k"},
        ),
    ],
)
def test_broker_use_ssl_gives_encryption(use_ssl: object, expected: dict[str, Any]) -> None:
    options = place("redis://host:1/2", use_ssl).options
    assert {name: value for name, value in options.items() if name.startswith("ssl")} == expected


def test_timeouts_are_short_unless_given() -> None:
    assert place("redis://host").options["socket_timeout"] == 2
    given = place("redis://host", socket_timeout=7, socket_connect_timeout=None).options
    assert (given["socket_timeout"], given["socket_connect_timeout"]) == (7, 1)


def test_every_sentinel_of_the_list_is_asked_for_the_database_of_the_first() -> None:
    found = place(
        "sentinel://user:pw@one:1/5;sentinel://two;sentinel://three:3",
        master_name="main",
        sentinel_kwargs={"password": "guard"},
    )
    assert found.sentinels == (("one", 1), ("two", 26379), ("three", 3))
    assert (found.master, found.options["db"], found.options["username"]) == ("main", 5, "user")
    assert found.sentinel_options["password"] == "guard"
    assert found.sentinel_options["socket_timeout"] == 2


def test_several_servers_are_tried_in_order() -> None:
    places = locate(Broker("redis://one:1/2;redis://two:2/3", "redis", "", {}))
    assert [found.name for found in places] == ["one:1", "two:2"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:canary@host:1/abc", "number"),
        ("redis://:canary@host:1/1/2", "number"),
        ("redis://:can/ary@host:1/1", "port"),
        ("redis+socket:///run/redis.sock?virtual_host=x", "number"),
        ("sentinel://:canary@host:1/1", "master"),
        ("rediss://:canary@host/1?ssl_cert_reqs=maybe", "ssl_cert_reqs"),
    ],
)
def test_a_url_that_cannot_work_is_explained_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        place(url)
    assert "can" not in caught.value.message.replace("cannot", "")


def test_a_location_does_not_show_its_password() -> None:
    assert "canary" not in repr(place("redis://:canary@host:1/1"))


@pytest.mark.parametrize("steps", [[], "0,3", ["a"], 3])
def test_priority_steps_that_are_no_list_of_numbers_are_refused(steps: object) -> None:
    broker = Broker("redis://", "redis", "", {"priority_steps": steps})
    with pytest.raises(ConfigurationError, match="priority_steps"):
        RedisInspector(OfferContext(FakeSettings(), broker, logging.getLogger()))
