"""Posture 3 and 5: what in the settings is not safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from flower.settings import load
from flower.web.binding import plan
from flower.web.posture import Weakness
from flower.web.weaknesses import weaknesses
from flower_plugins import Option
from flower_plugins.testing import FakeLoginProvider, offer_context

OPTIONS = [
    ("auth_basic", Option("basic_auth", default=(), multiple=True, secret=True, claims=True)),
    ("auth_basic", Option("basic_auth_file", claims=True)),
    ("broker_rabbitmq", Option("broker_api", secret=True)),
    ("auth_google", Option("oauth2_redirect_uri", claims=True)),
    ("auth_google", Option("insecure_logins", bool, default=False)),
]
DEPLOYMENT = (Path(__file__).parents[3] / "docs" / "deployment.md").read_text(encoding="utf-8")
HERE = "--address=127.0.0.1"


def found(
    tmp_path: Path, words: Sequence[str], environ: Mapping[str, str] | None = None, conf: str = "", mode: int = 0o644
) -> list[Weakness]:
    if conf:
        (tmp_path / "flowerconfig.py").write_text(conf)
        (tmp_path / "flowerconfig.py").chmod(mode)
    settings = load(words, options=OPTIONS, environ=environ or {}, cwd=str(tmp_path))
    return weaknesses(settings, plan(settings, authenticated=True, container=False))


def reasons(tmp_path: Path, *words: str, conf: str = "", mode: int = 0o644, **environ: str) -> list[str]:
    return [weakness.reason for weakness in found(tmp_path, words, environ, conf, mode)]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "no_tls"),
        ([HERE, "--oauth2_redirect_uri=http://flower.example.com/login"], "http_redirect_uri"),
        ([HERE, "--oauth2_redirect_uri=http://127.0.0.1.example.com/login"], "http_redirect_uri"),
        ([HERE, "--xheaders", "--trusted_proxies=10.0.0.1,0.0.0.0/0"], "every_proxy_trusted"),
        ([HERE, "--xheaders", "--trusted_proxies=::/0"], "every_proxy_trusted"),
        ([HERE, "--basic_auth=ann:canary"], "secret_on_command_line"),
        ([HERE, "--broker=redis://:canary@rabbit/0"], "secret_on_command_line"),
        ([HERE, "--result-backend=redis://:canary@rabbit/0"], "secret_on_command_line"),
        ([HERE, "--insecure-logins"], "insecure_logins"),
    ],
)
def test_what_is_not_safe_is_named_with_its_mend_and_documented(tmp_path: Path, words: list[str], reason: str) -> None:
    """S23, S34, S36"""
    (weakness,) = found(tmp_path, words)
    assert weakness.reason == reason
    assert weakness.text.endswith(".")
    assert weakness.mend
    assert "canary" not in f"{weakness.text} {weakness.mend}"
    assert f"| `{reason}` |" in DEPLOYMENT or reason.startswith("insecure_")


@pytest.mark.parametrize(
    "words",
    [
        [HERE],
        ["--unix_socket=/tmp/flower.sock"],
        ["--certfile=a.pem", "--keyfile=b.pem"],
        ["--xheaders"],
        ["--xheaders", "--trusted_proxies=10.0.0.0/8"],
        [HERE, "--oauth2_redirect_uri=https://flower.example.com/login"],
        [HERE, "--oauth2_redirect_uri=http://localhost:5555/login"],
        [HERE, "--oauth2_redirect_uri=http://[::1]:5555/login"],
        [HERE, "--trusted_proxies=0.0.0.0/0"],
        [HERE, "--broker=redis://rabbit/0"],
        [HERE, "--insecure-logins=no"],
    ],
)
def test_what_is_safe_is_not_complained_of(tmp_path: Path, words: list[str]) -> None:
    assert found(tmp_path, words) == []


@pytest.mark.parametrize(
    ("url", "reported"),
    [
        ("http://guest:canary@rabbit.example.com:15672/api/", ["http_broker_api"]),
        ("https://guest:canary@rabbit.example.com:15672/api/", []),
        ("http://guest:canary@localhost:15672/api/", []),
        ("http://guest:canary@127.0.0.1:15672/api/", []),
    ],
)
def test_the_broker_s_password_is_not_to_cross_the_network(tmp_path: Path, url: str, reported: list[str]) -> None:
    assert reasons(tmp_path, HERE, FLOWER_BROKER_API=url) == reported


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600])
@pytest.mark.parametrize("holder", ["conf", "celery", "variable", "users", "key"])
def test_files_with_secrets_are_not_for_everybody(tmp_path: Path, mode: int, holder: str) -> None:
    """S34"""
    path = tmp_path / "secret"
    path.write_text("ann:canary")
    path.chmod(mode)
    if holder == "conf":
        answer = reasons(tmp_path, HERE, conf="basic_auth = 'ann:canary'", mode=mode)
    elif holder == "celery":
        answer = reasons(tmp_path, HERE, conf="broker_url = 'redis://:canary@r/0'", mode=mode)
    elif holder == "variable":
        answer = reasons(tmp_path, HERE, FLOWER_COOKIE_SECRET_FILE=str(path))
    elif holder == "users":
        answer = reasons(tmp_path, HERE, f"--basic_auth_file={path}")
    else:
        answer = reasons(tmp_path, HERE, f"--keyfile={path}", f"--certfile={path}")
    assert answer == ["secret_readable_by_all"] * (mode == 0o644)


def test_a_configuration_file_without_secrets_may_be_read_by_all(tmp_path: Path) -> None:
    assert reasons(tmp_path, HERE, conf="port = 1\nbroker_url = 'redis://r/0'") == []


def test_a_secret_file_that_the_command_line_overrides_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("canary")
    path.chmod(0o644)
    answer = reasons(tmp_path, HERE, "--cookie_secret=x", FLOWER_COOKIE_SECRET_FILE=str(path))
    assert answer == ["secret_on_command_line"]


def test_a_login_provider_in_clear_is_told_once_and_the_way_back_not_twice(tmp_path: Path) -> None:
    class Provider(FakeLoginProvider):
        insecure = (
            "oauth2_redirect_uri is plain http to another machine: http://flower.example.com/login",
            "gitlab_oauth_domain is plain http to another machine: http://git.example.com",
        )

    words = ["--oauth2_redirect_uri=http://flower.example.com/login"]
    settings = load(words, options=OPTIONS, environ={}, cwd=str(tmp_path))
    binding = plan(settings, authenticated=True, container=False)
    told = {each.reason: each.text for each in weaknesses(settings, binding, [Provider(offer_context())])}
    assert "http://git.example.com" in told["http_login_provider"]
    assert "flower.example.com" not in told["http_login_provider"]
    assert "http_redirect_uri" in told
