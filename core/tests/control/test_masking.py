"""Which parts of worker configuration are secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flower.control.masking import MASK, mask, mask_text, mask_url

CANARY = "canary"


@pytest.mark.parametrize(
    "value",
    [
        {"broker": {"transport_options": {"sentinel_kwargs": {"password": CANARY}}}},
        {"broker": {"alternates": [f"redis://:{CANARY}@h:1/0", f"amqp://u:{CANARY}@h//"]}},
        {"conf": {"mongo_uri": f"mongodb://user:{CANARY}@one:1,two:2/db?x=1"}},
        {"conf": {"sentry_dsn": f"https://{CANARY}@sentry.example/1"}},
        {"conf": {"database": f"postgresql+psycopg://app:{CANARY}@db/x"}},
        {"conf": {"slack_webhook": f"https://hooks.slack.com/services/T0/B0/{CANARY}"}},
        {"conf": {"notify": f"https://hooks.slack.com/services/T0/B0/{CANARY}"}},
        {"conf": {"notify": f"https://discord.com/api/webhooks/1/{CANARY}"}},
        {"conf": {"smtp_auth": ["user", CANARY]}},
        {"conf": {"beat_schedule": {"x": {"task": "t", "args": [CANARY], "kwargs": {"a": CANARY}, "schedule": 5}}}},
        {"conf": {"beat_schedule": {"x": {"options": {"headers": {"x": CANARY}}}}}},
        {"conf": {"api_key": CANARY, "apiKey": CANARY, "API-KEY": CANARY}},
        {"conf": {"aws": {"secret_access_key": CANARY, "aws_access_key_id": CANARY}}},
        {"conf": {"token": CANARY, "oauth_tokens": [CANARY], "jwt_token_v2": CANARY}},
        {"conf": {"credentials": {"any": {"thing": CANARY}}}},
        {"conf": {"private_key": f"-----BEGIN {CANARY}"}},
        {"conf": {"passphrase": CANARY, "db_passwd": CANARY, "PWD": CANARY, "pass": CANARY}},
        {"conf": {"list": [[{"deep": [{"client_secret": CANARY}]}]]}},
        {"conf": {"odd": f"redis://:{CANARY}/{CANARY}@host:1/0"}},
        {"conf": {"odd": f"redis://:a@{CANARY}@host:1/0"}},
        {"conf": {"url": f"https://host/path?user=x&password={CANARY}&y=1"}},
        {"conf": {"url": f"https://host/path?access_token={CANARY}"}},
        {"conf": {"text": f"host=db dbname=x password={CANARY}"}},
        {"conf": {"text": f"could not reach 'amqp://u:{CANARY}@h:1//' in time"}},
        {"conf": {"many": f"sentinel://:{CANARY}@a:1;sentinel://:{CANARY}@b:2/0"}},
        {"conf": {"signing_key": CANARY, "session_cookie": CANARY, "authorization": CANARY}},
        [f"redis://:{CANARY}@h"],
        f"amqp://u:{CANARY}@h",
    ],
)
def test_a_secret_does_not_survive(value: Any) -> None:
    """S37."""
    masked = mask(value)
    assert CANARY not in json.dumps(masked)
    assert "*" in json.dumps(masked)


@pytest.mark.parametrize(
    "value",
    [
        {"pool": {"max-concurrency": 2, "processes": [1, 2], "implementation": "celery.concurrency.prefork:TaskPool"}},
        {"total": {"shop.reset_password": 7, "auth.login": 3}},
        {"password": None, "use_token": True, "secret": "", "credentials": []},
        {"author": "me", "authority": "x", "bypass": "y", "compass": "z", "passive": True, "tokenizer": "w"},
        {"routing_key": "celery", "name": "celery", "key": "x"},
        {"active_queues": [{"name": "a", "exchange": {"name": "a", "type": "direct"}, "routing_key": "a"}]},
        {"broker_url": "redis://127.0.0.1:6379/0", "result_backend": "redis://[::1]:6379/1", "x": "amqp://host"},
        {"schedule": {"beat": {"task": "t", "args": [], "schedule": 3.5}}},
        {"text": "a=b & c == d, mail me@example.com", "path": "/a/b@c"},
        {"url": "https://host/path?mail=me@example.com&page=2"},
        ["shop.add", "shop.mul"],
        [{"args": "(1, 'x')", "kwargs": "{'n': 1}", "id": "i"}],
        5,
        1.5,
        None,
        True,
        "",
    ],
)
def test_what_is_no_secret_stays_as_it_is(value: Any) -> None:
    assert mask(value) == value


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("redis://:pw@host:6379/0", f"redis://:{MASK}@host:6379/0"),
        ("amqp://ann:pw@host//", f"amqp://ann:{MASK}@host//"),
        ("https://key@host/1", f"https://{MASK}@host/1"),
        ("amqp://ann:@host//", f"amqp://ann:{MASK}@host//"),
        ("sentinel://:a@h:1;sentinel://:b@i:2/0", f"sentinel://:{MASK}@h:1;sentinel://:{MASK}@i:2/0"),
        ("redis+socket://u:p@/run/r.sock?virtual_host=1", f"redis+socket://u:{MASK}@/run/r.sock?virtual_host=1"),
        ("redis://host", "redis://host"),
        ("", ""),
    ],
)
def test_a_url_keeps_all_but_its_password(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def test_the_original_is_not_changed() -> None:
    value = {"a": {"password": "x"}, "b": ["redis://:x@h"]}
    mask(value)
    assert value == {"a": {"password": "x"}, "b": ["redis://:x@h"]}


def test_masking_twice_changes_nothing() -> None:
    once = mask({"password": "x", "url": "redis://u:p@h/0?token=z"})
    assert mask(once) == once


@pytest.mark.timeout(10)
def test_long_hostile_texts_are_masked_in_time() -> None:
    for text in ("a" * 65_000, "a://" * 16_000, "@" * 65_000, ":/" * 32_000, "password=" * 7_000, "a.-" * 20_000):
        mask_text(text)
