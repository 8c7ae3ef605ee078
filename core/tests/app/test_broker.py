"""What is understood of a broker's URL, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from celery import Celery

from flower.app.broker import describe_broker, load_transport
from flower_plugins import ConfigurationError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"):
        monkeypatch.delenv(name, raising=False)


def app(**settings: Any) -> Celery:
    made = Celery(set_as_current=False)
    made.conf.update(settings)
    return made


@pytest.mark.parametrize(
    ("urls", "scheme", "safe"),
    [
        ("redis://:pw@127.0.0.1:6390/0", "redis", "redis://:**@127.0.0.1:6390/0"),
        ("amqp://ann:p%2Fw@h//", "amqp", "amqp://ann:**@h//"),
        (["amqp://a:pw@h//", "amqp://b:pw@i//"], "amqp", "amqp://a:**@h//;amqp://b:**@i//"),
        ("sentinel://:a@h:1;sentinel://:b@i:2", "sentinel", "sentinel://:**@h:1;sentinel://:**@i:2"),
        ("rediss://h:1/0?ssl_keyfile_password=pw", "rediss", "rediss://h:1/0?ssl_keyfile_password=**"),
        ("sqs://KEY:secret@", "sqs", "sqs://KEY:**@"),
    ],
)
def test_a_url_is_shown_without_its_secrets(urls: Any, scheme: str, safe: str) -> None:
    broker = describe_broker(app(broker_url=urls))
    assert (broker.scheme, broker.safe_url) == (scheme, safe)


def test_without_a_url_the_broker_is_celerys_default() -> None:
    assert describe_broker(app()).safe_url == "amqp://guest:**@localhost:5672//"


def test_reading_has_a_url_of_its_own() -> None:
    assert describe_broker(app(broker_url="redis://a", broker_read_url="redis://b")).url == "redis://b"


@pytest.mark.parametrize(
    "urls",
    [
        "redis://:canary/ter2@127.0.0.1:1/0",
        "redis://ann:ter2/canary@127.0.0.1:1/0",
        "redis://h:99999/canary",
        "redis://[canary/0",
        "redis://ok;redis://:canary/x@h",
        ["redis://ok", 5, "canary"],
        {"canary": 1},
        5,
    ],
)
@pytest.mark.parametrize("name", ["broker_url", "broker_read_url", "broker_write_url"])
def test_what_is_no_url_is_refused_without_being_quoted(name: str, urls: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"broker.* \({name}\)") as caught:
        describe_broker(app(**{"broker_url": "redis://good", name: urls}))
    assert "canary" not in caught.value.message
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", ["redis://h/0", "rediss://h/0", "sentinel://h:1"])
def test_a_redis_broker_without_its_library_is_refused_with_the_remedy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'flower\[redis\]'"):
        describe_broker(app(broker_url=url))


def test_the_client_library_is_loaded_whole_before_there_are_threads() -> None:
    """Two threads that import parts of it at once may get a deadlock error of Python's instead."""
    pytest.importorskip("redis")
    program = (
        "import sys; from celery import Celery; from flower.app.broker import load_transport; "
        "assert 'redis' not in sys.modules; "
        "load_transport(Celery(broker='redis://127.0.0.1:1/0', set_as_current=False)); "
        "assert {'kombu.transport.redis', 'redis.asyncio.sentinel', 'redis.backoff'} <= set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_transport_that_cannot_be_loaded_is_left_to_the_connection() -> None:
    load_transport(app(broker_url="nonesuch://h/"))
