"""`--check`: what is printed and how it ends, with real plugins and nothing started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from flower.cli import run

Check = Callable[..., tuple[int, str, str]]
SAFE = "--address=127.0.0.1"


@pytest.fixture(name="check")
def _check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    monkeypatch.chdir(tmp_path)
    app = Celery("proj", broker="memory://", set_as_current=False)

    def check(*words: str, **environ: str) -> tuple[int, str, str]:
        code = run(app, words, environ=environ)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return check


@pytest.mark.parametrize(
    ("mode", "safe", "code"),
    [("--check", False, 0), ("--check=json", False, 0), ("--check=deploy", False, 1), ("--check=deploy", True, 0)],
)
def test_only_a_deployment_that_is_not_safe_is_refused(check: Check, mode: str, safe: bool, code: int) -> None:
    """Posture 3"""
    ended, out, err = check(mode, SAFE if safe else "--address=0.0.0.0")
    assert (ended, err) == (code, "")
    assert ("no_auth" in out) is not safe


def test_the_page_tells_who_gets_in(check: Check) -> None:
    _, out, _ = check("--check", SAFE, "--read_only", "--port=7000", FLOWER_BASIC_AUTH="ann:canary")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in (
        "Listens on: 127.0.0.1:7000 (this machine only)",
        "Login: basic",
        "API: needs a login",
        "Actions: refused: read-only",
        "TLS: no",
        "Proxies: their headers are ignored",
        "Metrics: open to everybody",
        "Plugins failed: none",
        "Nothing is known that is not safe.",
    ):
        assert line in lines
    assert "canary" not in out


@pytest.mark.parametrize(
    ("words", "environ", "facts"),
    [
        ([SAFE], {}, {"reach": "this machine", "login": [], "api": "closed", "actions": "browsers on this machine"}),
        (["--address="], {}, {"listens": ["every interface, port 5555"], "reach": "network", "actions": "nobody"}),
        ([SAFE], {"FLOWER_UNAUTHENTICATED_API": "1"}, {"api": "open", "actions": "everybody"}),
        (["--unix_socket=/tmp/x"], {}, {"listens": ["/tmp/x"], "reach": "unix socket"}),
        ([SAFE], {"FLOWER_BASIC_AUTH": "a:b"}, {"login": ["basic"], "api": "login", "actions": "who is logged in"}),
        ([SAFE, "--xheaders"], {}, {"proxies": ["loopback and private addresses"]}),
        ([SAFE, "--xheaders", "--trusted_proxies=10.0.0.1"], {}, {"proxies": ["10.0.0.1"]}),
        ([SAFE], {"FLOWER_COOKIE_SECRET": "canary"}, {"cookie_secret": "FLOWER_COOKIE_SECRET in the environment"}),
        ([SAFE, "--metrics_auth=same"], {}, {"metrics": "same"}),
        (["--address=0.0.0.0", "--port=0"], {}, {"listens": ["0.0.0.0:any"]}),
    ],
)
def test_programs_read_the_same(check: Check, words: list[str], environ: dict[str, str], facts: dict[str, Any]) -> None:
    code, out, _ = check("--check=json", *words, **environ)
    found = json.loads(out)
    assert code == 0
    assert {name: found[name] for name in facts} == facts
    assert "canary" not in out


def test_plugins_that_failed_and_warnings_are_told(check: Check) -> None:
    Path("flowerconfig.py").write_text("def flower_options(wrong):\n    return []\n")
    code, out, _ = check("--check=json", "--loglevel=info", SAFE)
    found = json.loads(out)
    assert code == 0
    assert [each["name"] for each in found["plugins_failed"]] == ["flowerconfig"]
    assert any("--loglevel" in warning for warning in found["warnings"])
    assert found["settings_file"].endswith("flowerconfig.py")


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["--certfile=none.pem", "--keyfile=none.pem"], "none.pem"),
        (["--metrics_auth=token"], "FLOWER_METRICS_TOKEN"),
        (["--basic_auth_file=none"], "none"),
        (["--check=yaml"], "yaml"),
        (["deploy"], "deploy"),
    ],
)
def test_what_could_not_start_is_refused_as_at_the_start(check: Check, words: list[str], word: str) -> None:
    code, out, err = check("--check=deploy", *words)
    assert (code, out) == (2, "")
    assert word in err


def test_the_environment_and_the_file_cannot_turn_a_start_into_a_check(check: Check) -> None:
    Path("flowerconfig.py").write_text("check = 'text'\n")
    served: list[str] = []

    def serve(*_: Any) -> int:
        served.append("yes")
        return 0

    app = Celery("proj", broker="memory://", set_as_current=False)
    assert run(app, [SAFE, "--logging=none"], environ={}, serve=serve) == 0
    assert served == ["yes"]
