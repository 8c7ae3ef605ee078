"""Names and passwords over real HTTP: a file that changes, and somebody who guesses."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.system.support import Launcher, Room, RunningFlower, until

pytestmark = pytest.mark.system

TOKEN = "a-token-of-twenty-xx"


def line(user: str, password: str) -> str:
    """Return a line of a password file as the documented command makes it."""
    words = [sys.executable, "-m", "flower_auth_basic", user]
    return subprocess.run(words, input=password, capture_output=True, text=True, check=True).stdout


def status(flower: RunningFlower, user: str, password: str, path: str = "/api/tasks") -> int:
    return flower.get(path, auth=(user.encode(), password.encode())).status_code


def test_a_password_file_is_followed_while_flower_runs(launch: Launcher, redis_room: Room, tmp_path: Path) -> None:
    """S32, S34"""
    users = tmp_path / "users"
    users.write_text(line("jürgen", "größe"), encoding="utf-8")
    users.chmod(0o600)
    flower = launch.flower(redis_room, "--basic_auth=ann:x", f"--basic_auth_file={users}")
    assert [status(flower, *pair) for pair in (("jürgen", "größe"), ("ann", "x"))] == [200, 200]
    for user, password in [("jürgen", "x"), ("ann", "größe"), ("nobody", "x"), ("ü", "x")]:
        assert status(flower, user, password) == 401
    lower = "basic " + base64.b64encode("jürgen:größe".encode()).decode()
    assert flower.get("/workers", headers={"Authorization": lower}).status_code == 200
    users.write_text(line("bob", "y"), encoding="utf-8")
    until(lambda: status(flower, "bob", "y") == 200, "the new user gets in")
    assert status(flower, "jürgen", "größe") == 401
    users.write_text("bob:plain", encoding="utf-8")
    until(lambda: "stay as before" in flower.process.output() or status(flower, "bob", "y") != 200, "the file is read")
    assert status(flower, "bob", "y") == 200
    assert "line 1" in flower.process.output()
    assert "größe" not in flower.process.output()


@pytest.mark.parametrize("hashed", ["s3cret", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "$apr1$r31$HqJZimcKQFAMYayBlzkrA/"])
def test_a_weak_hash_stops_the_start_with_line_and_mend(launch: Launcher, tmp_path: Path, hashed: str) -> None:
    """S34"""
    users = tmp_path / "users"
    users.write_text(f"# people\nann:{hashed}\n")
    users.chmod(0o600)
    code, output = launch.run("flower", env={"FLOWER_BASIC_AUTH_FILE": str(users)})
    assert code == 2, output
    (sentence,) = output.strip().splitlines()
    for words in ("line 2", "python -m flower_auth_basic", "FLOWER_BASIC_AUTH_FILE in the environment"):
        assert words in sentence
    assert hashed not in sentence


def test_guessing_is_slowed_down_for_that_pair_alone(launch: Launcher, redis_room: Room) -> None:
    """S31"""
    flower = launch.flower(redis_room, env={"FLOWER_BASIC_AUTH": "ann:right,bob:other"})
    assert [status(flower, "ann", f"wrong{number}") for number in range(10)] == [401] * 10
    begin = time.monotonic()
    for password, path in [("wrong", "/api/tasks"), ("right", "/api/tasks"), ("right", "/workers")]:
        refused = flower.get(path, auth=("ann", password))
        assert refused.status_code == 429
        assert 60 - (time.monotonic() - begin) - 5 <= int(refused.headers["Retry-After"]) <= 60
        assert "Too many failed logins" in refused.text
    assert status(flower, "bob", "other") == 200
    assert flower.get("/healthcheck").text == "OK"
    assert 'flower_auth_failures_total{provider="basic"} 13.0' in flower.get("/metrics").text
    failed = [json.loads(each[each.index("{") :]) for each in flower.process.output().splitlines() if '"login"' in each]
    assert len(failed) >= 10
    assert {each["outcome"] for each in failed[:10]} == {"refused: login by basic failed"}
    assert "wrong" not in flower.process.output()


def test_a_flood_of_guesses_does_not_fill_the_log(launch: Launcher, redis_room: Room) -> None:
    """S31"""
    flower = launch.flower(redis_room, env={"FLOWER_BASIC_AUTH": "ann:right"})
    begin = time.monotonic()
    for number in range(300):
        assert status(flower, f"user{number}", "wrong", "/workers") == 401
    seconds = time.monotonic() - begin
    recorded = flower.process.output().count('"login"')
    assert 1 <= recorded <= 10 * (seconds + 2)
    assert 'flower_auth_failures_total{provider="basic"} 300.0' in flower.get("/metrics").text


def test_metrics_can_be_closed(launch: Launcher, redis_room: Room) -> None:
    """S38"""
    same = launch.flower(redis_room, "--metrics_auth=same", env={"FLOWER_BASIC_AUTH": "ann:right"})
    assert same.get("/metrics").status_code == 401
    assert status(same, "ann", "right", "/metrics") == 200
    token = launch.flower(redis_room, "--metrics_auth=token", env={"FLOWER_METRICS_TOKEN": TOKEN})
    for headers, wanted in [
        ({}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": "Bearer x"}, 401),
    ]:
        assert token.get("/metrics", headers=headers).status_code == wanted
    assert token.get("/healthcheck").text == "OK"
    assert TOKEN not in token.process.output()
    code, output = launch.run("flower", "--metrics_auth=token")
    assert code == 2
    assert "FLOWER_METRICS_TOKEN" in output
