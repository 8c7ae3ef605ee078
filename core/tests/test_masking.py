"""Which parts of worker configuration are secrets."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from flower.masking import MASK, mask, mask_text, mask_url, safe_error, safe_line

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
    "text",
    [
        f"https://h/?ssl_keyfile_password={CANARY}",
        f"url=https://h/?password={CANARY}",
        f"x=password={CANARY}",
        f"password={CANARY},{CANARY};{CANARY}",
        f"connect(password='{CANARY} {CANARY}', port=1)",
        f"{{'password': '{CANARY}', 'port': 1}}",
        f'{{"api_key": "a\\"{CANARY}", "port": 1}}',
        f'"{{\\"password\\": \\"{CANARY} {CANARY}\\"}}"',
        f"{{'tokens': ['{CANARY}', '{CANARY}']}}",
        f"'password': '{CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"SharedAccessKey = {CANARY}",
        f"https://h/blob?sig={CANARY}",
        f"redis://:p/{CANARY}@d#{CANARY}@h",
        f"redis://:p@d#{CANARY}@h",
        f"redis://:1/{CANARY}@h",
        f"amqp://u:12/{CANARY}@h:5672//",
    ],
)
def test_a_secret_in_a_text_is_masked(text: str) -> None:
    for masked in (mask_text(text), mask_url(text), safe_line(text)):
        assert CANARY not in masked
        assert "**" in masked


@pytest.mark.parametrize("name", ["auth:login", "secret-santa", "shop.auth.login", "reset_password:high"])
def test_the_name_of_a_queue_or_task_stays(name: str) -> None:
    assert mask_text(name) == name


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("redis://:pw@host:6379/0", "redis://:**@host:6379/0"),
        ("amqp://ann:pw@host//", "amqp://ann:**@host//"),
        ("x://tok@h", "x://**@h"),
        ("amqp://ann:@host//", "amqp://ann:**@host//"),
        ("redis://:p/w@d#x@h", "redis://:**@h"),
        ('redis://:it\'s my "own" <pw>@h', "redis://:**@h"),
        ("sentinel://:a@h:1;sentinel://:b@i:2/0", "sentinel://:**@h:1;sentinel://:**@i:2/0"),
        ("redis+socket://u:p@/run/r.sock?virtual_host=1", "redis+socket://u:**@/run/r.sock?virtual_host=1"),
        ("redis://h:1/0?password=pw&x=1", "redis://h:1/0?password=**&x=1"),
        ("redis://host", "redis://host"),
        ("", ""),
    ],
)
def test_a_url_keeps_all_but_its_secrets(url: str, masked: str) -> None:
    assert mask_url(url) == masked
    assert mask_url(masked) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("cannot reach amqp://user:p@ss/w@host:5672/vh", f"cannot reach amqp://user:{MASK}@host:5672/vh"),
        ("redis://:pw@a/0;redis://:pw2@b/0", f"redis://:{MASK}@a/0;redis://:{MASK}@b/0"),
        ("redis://host/0", "redis://host/0"),
        ("{'password': 'x', 'port': 1}", f"{{'password': '{MASK}', 'port': 1}}"),
        ("https://h/?token=abc&x=1", f"https://h/?token={MASK}&x=1"),
        ("a\nb\x1b", "a\\nb\\x1b"),
        ("x" * 400, "x" * 300 + "..."),
    ],
)
def test_a_line_for_the_log_is_printable_bounded_and_without_secrets(text: str, masked: str) -> None:
    assert safe_line(text) == masked


class _Mute(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError("redis://:canary@h"), f"OSError: redis://:{MASK}@h"),
        (ValueError(), "ValueError"),
        (_Mute(), "_Mute"),
    ],
)
def test_an_exception_is_told_by_type_and_words(error: Exception, line: str) -> None:
    assert safe_error(error) == line


def test_the_original_is_not_changed() -> None:
    value = {"a": {"password": "x"}, "b": ["redis://:x@h"]}
    mask(value)
    assert value == {"a": {"password": "x"}, "b": ["redis://:x@h"]}


def test_masking_twice_changes_nothing() -> None:
    text = "{'password': 'x', 'token': 5, 'secrets': [1]} password=y"
    once = mask({"password": "x", "url": "redis://u:p@h/0?token=z", "text": text})
    assert mask(once) == once


HOSTILE = (
    *("a", "a://", "@", ":/", "password=", "a.-", "password='", "password=[", "'password' ", "password   ", "token: "),
    *("a://b:c@", "password='\\", "hooks.", '\\"password\\"'),
)


@pytest.mark.parametrize("seed", HOSTILE)
def test_masking_takes_linear_time(seed: str) -> None:
    short, long = (min(_seconds(seed * (size // len(seed))) for _ in range(3)) for size in (10_000, 80_000))
    assert long < max(40 * short, 0.1)


def _seconds(text: str) -> float:
    begun = time.perf_counter()
    mask_text(text)
    return time.perf_counter() - begun
