"""Logins over real processes: a login handler of one's own, sessions that survive, are shared, and end."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

OURS = {"Sec_Fetch_Site": "same-origin"}
SECRET, OTHER = "s" * 40, "o" * 40
HANDLER = '''
from urllib.parse import urlencode

import tornado.web
from flower.views import BaseHandler
from flower.views.auth import GitLabLoginHandler


class Plain(tornado.web.RequestHandler):
    """The documented contract, with nothing of Flower's."""

    async def get(self):
        name = self.get_argument("name", "")
        if not name:
            self.write("Who are you?")
            return
        self.set_secure_cookie("user", name)
        self.redirect(self.get_argument("next", "/"))


class Based(BaseHandler):
    """What Flower 2 documents as the base class."""

    def get(self):
        if self.application.options.auth != ".*@example.com":
            raise tornado.web.HTTPError(500)
        if self.get_argument("fail", ""):
            raise RuntimeError("canary")
        if self.current_user:
            self.write(f"You are {self.current_user}")
            return
        self.set_signed_cookie("user", self.get_argument("name"))
        self.redirect(self.get_argument("next", self.application.options.url_prefix or "/"))


class Ours(GitLabLoginHandler):
    """A GitLab whose answers are made here."""

    _OAUTH_DOMAIN = "gitlab.example.com"
    asked = []

    async def _fetch(self, url, token="", form=None):
        if form is not None:
            assert form["code_verifier"] and form["code"] == "good", form
            return {"access_token": "the-token"}
        assert (url, token) == ("https://gitlab.example.com/api/v4/user", "the-token")
        return {"email": "ann@example.com", "state": "active", "confirmed_at": "2024-01-01"}


class Overridden(GitLabLoginHandler):
    """One that overrides what happens after the login, in Flower 2's manner."""

    _OAUTH_AUTHORIZE_URL = "https://sso.example.com/authorize"
    _OAUTH_ACCESS_TOKEN_URL = "https://sso.example.com/token"

    async def get_authenticated_user(self, redirect_uri, code):
        return {"access_token": code}

    def _on_auth(self, user):
        self.set_signed_cookie("user", user["access_token"] + "@example.com")
        self.redirect(self.get_argument("next", self.application.options.url_prefix or "/"))


class Broken:
    """No handler at all."""
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_login.py").write_text(HANDLER)
    return tmp_path


def start(launch: Launcher, room: Room, folder: Path, *options: str, handler: str = "my_login.Plain") -> RunningFlower:
    logins = ["--auth=.*@example.com", f"--auth_provider={handler}"]
    return launch.flower(room, "--address=127.0.0.1", *logins, *options, cwd=folder)


def log_in(flower: RunningFlower, name: str = "ann@example.com", next_page: str = "/") -> dict[str, str]:
    """Return the cookies of a browser that logged in."""
    answer = httpx.get(flower.url + "/login", params={"name": name, "next": next_page}, timeout=20)
    assert (answer.status_code, answer.headers["Location"]) == (302, next_page), answer.text
    return dict(answer.cookies)


def ask(
    flower: RunningFlower, path: str, cookies: dict[str, str], method: str = "GET", **headers: str
) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(method, flower.url + path, cookies=cookies, headers=sent, timeout=20)


def audit(flower: RunningFlower) -> list[tuple[str, str, str]]:
    found = re.findall(r"\{\"time\".*\}", flower.process.output())
    return [(line["action"], line["identity"], line["outcome"]) for line in map(json.loads, found)]


def test_a_login_handler_of_ones_own_keeps_the_deep_link_and_a_logout_ends_the_session(
    launch: Launcher, redis_room: Room, folder: Path
) -> None:
    """S07, S08, S27, S28, S58"""
    flower = start(launch, redis_room, folder)
    with httpx.Client(base_url=flower.url, timeout=20) as stranger:
        page = "/tasks?search=a%26b&sort=name"
        sent = stranger.get(page)
        assert sent.status_code == 302
        assert parse_qs(urlsplit(sent.headers["Location"]).query) == {"next": [page]}
        assert stranger.get(sent.headers["Location"]).text == "Who are you?"
        assert [stranger.get(path).status_code for path in ("/api/tasks", "/healthcheck", "/metrics")] == [
            401,
            200,
            200,
        ]
        assert stranger.get("/stream?topics=tasks", headers={"Accept": "text/event-stream"}).status_code in (302, 401)
    ann = log_in(flower, next_page=page)
    shown = ask(flower, page, ann)
    assert shown.status_code == 200
    assert "ann@example.com" in shown.text
    assert 'action="/logout"' in shown.text
    assert ask(flower, "/api/tasks", ann).status_code == 200
    grow = "/api/worker/pool/grow/nobody"
    assert ask(flower, grow, ann, "POST").status_code == 403
    assert ask(flower, grow, ann, "POST", Authorization="x").status_code == 403
    assert ask(flower, grow, ann, "POST", X_XSRFToken=ann["_xsrf"]).status_code == 404
    asked = ask(flower, "/logout", ann).text
    assert "ann@example.com" in asked
    assert "Log everybody out" in asked
    assert ask(flower, "/logout", ann, "POST").status_code == 403
    assert ask(flower, "/logout", ann, Sec_Fetch_Site="cross-site").status_code == 200
    assert ask(flower, "/", ann).status_code == 200
    assert ask(flower, "/logout", ann, "POST", Sec_Fetch_Site="same-origin").status_code == 303
    assert "Log in again" in ask(flower, "/logout", ann).text
    assert ask(flower, "/", ann).status_code == 302
    assert ask(flower, "/api/tasks", ann).status_code == 401
    assert ("login", "ann@example.com", "ok") in audit(flower)
    assert ("logout", "ann@example.com", "ok") in audit(flower)


def test_whom_the_pattern_does_not_name_stays_out(launch: Launcher, redis_room: Room, folder: Path) -> None:
    """S21, S36"""
    flower = start(launch, redis_room, folder, "--debug")
    for name in ("eve@evil.example", "ann@example.com.evil.example", "ann@example.com\nx", "", "x@y@example.com"):
        answer = httpx.get(flower.url + "/login", params={"name": name})
        if name:
            assert answer.status_code == 403
            assert "ask your admin to add your email to flower --auth" in answer.text
        assert "flower_session" not in answer.headers.get("Set-Cookie", "")
        assert "Traceback" not in answer.text
    assert (
        "login",
        "eve@evil.example",
        "refused: Access denied. Please use another account or ask your admin to add your email to flower --auth.",
    ) in audit(flower)
    for page in ("//evil.example", "/\\evil.example", "https://evil.example"):
        answer = httpx.get(flower.url + "/login", params={"name": "ann@example.com", "next": page})
        assert answer.headers["Location"] == "/"


def test_sessions_survive_a_restart_with_a_folder_and_ended_ones_stay_ended(
    launch: Launcher, redis_room: Room, folder: Path
) -> None:
    """S28, S30"""
    state = folder / "state"
    first = start(launch, redis_room, folder, f"--data_dir={state}")
    kept, gone = log_in(first), log_in(first)
    assert ask(first, "/logout", gone, "POST", **OURS).status_code == 303
    assert first.process.stop(signal.SIGKILL) == -signal.SIGKILL
    second = start(launch, redis_room, folder, f"--data_dir={state}")
    assert ask(second, "/", kept).status_code == 200
    assert ask(second, "/", gone).status_code == 302
    secret = state / "sessions" / "cookie_secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    assert secret.read_text() not in first.process.output() + second.process.output()


def test_without_a_folder_a_restart_ends_every_session(launch: Launcher, redis_room: Room, folder: Path) -> None:
    """S30"""
    first = start(launch, redis_room, folder)
    cookies = log_in(first)
    assert first.process.stop() == 0
    assert "Sessions end when Flower does" in first.process.output()
    assert ask(start(launch, redis_room, folder), "/", cookies).status_code == 302


def test_processes_share_sessions_by_their_secret_and_logouts_by_their_folder(
    launch: Launcher, redis_room: Room, folder: Path
) -> None:
    """S30"""
    shared = [f"--cookie_secret={SECRET}", f"--data_dir={folder}/state"]
    one = start(launch, redis_room, folder, *shared)
    rotated = start(launch, redis_room, folder, f"--cookie_secret={OTHER},{SECRET}", f"--data_dir={folder}/state")
    older, newer = log_in(one), log_in(rotated)
    assert ask(rotated, "/", older).status_code == 200
    assert ask(one, "/", newer).status_code == 302
    assert ask(one, "/logout", older, "POST", **OURS).status_code == 303
    until(lambda: ask(rotated, "/", older).status_code == 302, "the logout is known", 5)


def test_one_may_log_everybody_out(launch: Launcher, redis_room: Room, folder: Path) -> None:
    """S28"""
    flower = start(launch, redis_room, folder)
    ann, bob = log_in(flower), log_in(flower, "bob@example.com")
    assert ask(flower, "/", bob).status_code == 200
    assert ask(flower, "/logout/everybody", ann, "POST", **OURS).status_code == 303
    assert [ask(flower, "/", cookies).status_code for cookies in (ann, bob)] == [302, 302]
    assert ask(flower, "/", log_in(flower)).status_code == 200


def test_flower_2_s_base_class_works_under_a_prefix(launch: Launcher, redis_room: Room, folder: Path) -> None:
    flower = start(launch, redis_room, folder, "--url_prefix=/f", handler="my_login:Based")
    with httpx.Client(timeout=20) as client:
        root = flower.url.removesuffix("/f")
        answer = client.get(f"{root}/f/login?name=ann@example.com&next=/f/tasks")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/f/tasks")
        assert client.get(f"{root}/f/tasks").status_code == 200
        assert client.get(f"{root}/f/login").text == "You are ann@example.com"
        failed = client.get(f"{root}/f/login?fail=1")
        assert failed.status_code == 500
        assert "canary" not in failed.text


def test_flower_2_s_provider_classes_can_be_subclassed(launch: Launcher, redis_room: Room, folder: Path) -> None:
    """S24, S25"""
    keys = ["--oauth2_key=k", "--oauth2_secret=canary", "--oauth2_redirect_uri=http://localhost/login"]
    for handler, code, begin in (
        ("my_login.Ours", "good", "https://gitlab.example.com/oauth/authorize?"),
        ("my_login.Overridden", "ann", "https://sso.example.com/authorize?"),
    ):
        flower = start(launch, redis_room, folder, *keys, handler=handler)
        with httpx.Client(base_url=flower.url, timeout=20) as client:
            away = client.get("/login?next=/workers%3Fx=1").headers["Location"]
            assert away.startswith(begin)
            query = parse_qs(urlsplit(away).query)
            assert query["code_challenge_method"] == ["S256"]
            back = f"/login?code={code}&state={query['state'][0]}"
            assert httpx.get(flower.url + back).status_code == 403
            answer = client.get(back)
            assert (answer.status_code, answer.headers["Location"]) == (302, "/workers?x=1"), answer.text
            assert "ann@example.com" in client.get("/workers").text
            assert client.get(back).status_code == 403
        assert "canary" not in flower.process.output()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--auth=.*@example.com", "--auth_provider=no.such.Handler"], ["no.such.Handler"]),
        (["--auth=.*@example.com", "--auth_provider=my_login.Broken"], ["my_login.Broken", "Tornado"]),
        (["--auth=a@x.com|", "--auth_provider=my_login.Plain"], ["alternatives is empty", ".*@example.com"]),
        (["--auth=(a|b)@x.com", "--auth_provider=my_login.Plain"], ["Invalid '--auth' option"]),
        (["--auth_provider=my_login.Plain"], ["auth_provider", "without auth"]),
        (
            ["--auth=a@x.com", "--auth_provider=my_login.Plain", "--cookie_secret=changeme"],
            ["32 bytes", "token_urlsafe"],
        ),
        (["--oauth2_key=canary-key"], ["oauth2_key"]),
        (["--auth=a@x.com", "--auth_provider=my_login.Plain", "--data_dir=/proc/nowhere"], ["data_dir"]),
    ],
)
def test_a_login_that_cannot_work_stops_the_start(
    launch: Launcher, folder: Path, options: list[str], words: list[str]
) -> None:
    """S22, S29, S54"""
    code, output = launch.run("flower", *options, env={"PYTHONPATH": str(folder)})
    assert code == 2, output
    line = output.strip().splitlines()[-1]
    assert "Traceback" not in output
    for word in words:
        assert word in line


def test_the_secret_may_come_from_a_file(launch: Launcher, redis_room: Room, folder: Path) -> None:
    """S34"""
    file = folder / "secret"
    file.write_text(SECRET + "\n")
    logins = ["--auth=.*@example.com", "--auth_provider=my_login.Plain"]
    env = {"FLOWER_COOKIE_SECRET_FILE": str(file)}
    one = launch.flower(redis_room, "--address=127.0.0.1", *logins, cwd=folder, env=env)
    other = start(launch, redis_room, folder, f"--cookie_secret={SECRET}")
    assert ask(other, "/", log_in(one)).status_code == 200
    line = Path(f"/proc/{one.process.popen.pid}/cmdline").read_bytes()
    assert os.fsencode(SECRET) not in line
