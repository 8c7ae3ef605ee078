"""Sessions, keys and revocations under a clock that tests turn."""

from __future__ import annotations

import stat
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from flower.web.cookies import Cookies
from flower.web.keys import Keys, kept_secret
from flower.web.revocations import Revocations
from flower.web.session import Session, Sessions
from flower_plugins import ConfigurationError, Identity, LoginRefused
from flower_plugins.testing import FakeClock as Clock
from flower_plugins.testing import browser_request as request

SECRET, OTHER = "s" * 32, "o" * 32
ANN = Identity("ann@example.com", "google", frozenset(("ops", "dev")))
HOUR, DAY = 3600.0, 86400.0


def pair(line: str) -> str:
    """Return what a browser sends back of a Set-Cookie line."""
    return line.partition(";")[0]


def sessions(
    clock: Clock, *secrets: str, folder: Path | None = None, prefix: str = "", provider: str = "google"
) -> Sessions:
    keys, revoked = Keys(secrets or (SECRET,), clock), Revocations(folder, clock)
    cookies = Cookies(prefix)
    return Sessions(keys, cookies, revoked, idle=8 * HOUR, lifetime=7 * DAY, provider=provider, clock=clock)


def login(made: Sessions, protocol: str = "http") -> tuple[Session, str]:
    session = made.begin(ANN)
    return session, pair(made.cookie(request(protocol=protocol), session))


def test_a_session_says_who_logged_in() -> None:
    made = sessions(Clock())
    _, cookie = login(made)
    found = made.find(request(cookie))
    assert found is not None
    assert found.identity == ANN


@pytest.mark.parametrize("change", ["", "x", "a=b", "flower_session_x=1", "; ; =", "\udcff"])
def test_anything_else_is_nobody(change: str) -> None:
    assert sessions(Clock()).find(request(change)) is None


def test_a_changed_cookie_is_nobody() -> None:
    made = sessions(Clock())
    _, cookie = login(made)
    for place in range(cookie.index("=") + 1, len(cookie)):
        changed = cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]
        assert made.find(request(changed)) is None, place


@pytest.mark.parametrize("other", [{"prefix": "/b"}, {"provider": "gitlab"}])
def test_a_session_counts_for_its_prefix_and_its_provider_alone(other: dict[str, str]) -> None:
    """Two Flowers may have one secret and let in different people: renaming a cookie takes nobody over."""
    clock, there = Clock(), request(protocol="http")
    cookie = login(sessions(clock, prefix="/a"))[1]
    assert sessions(clock, prefix="/a").find(request(cookie)) is not None
    renamed = f"{Cookies(other.get('prefix', '/a')).name(there, 'session')}={cookie.partition('=')[2]}"
    elsewhere = sessions(clock, prefix=other.get("prefix", "/a"), provider=other.get("provider", "google"))
    assert elsewhere.find(request(renamed, protocol="http")) is None


def test_a_ticket_cannot_be_used_as_a_session() -> None:
    clock = Clock()
    value = Keys((SECRET,), clock).sign("login", '["sid","ann","google",[],1700000000,1700000000]')
    name = Cookies("").name(request(), "session")
    assert sessions(clock).find(request(f"{name}={value}")) is None


@pytest.mark.parametrize(("protocol", "secure"), [("http", False), ("https", True)])
def test_cookies_are_as_closed_as_the_connection_allows(protocol: str, secure: bool) -> None:
    """S13"""
    made = sessions(Clock())
    session = made.begin(ANN)
    asked = request(protocol=protocol)
    line = made.cookie(asked, session)
    assert {"Path=/", "SameSite=Lax", "HttpOnly"} <= set(line.split("; "))
    assert ("Secure" in line.split("; ")) is secure
    assert line.startswith("__Host-flower_session_") is secure
    token = made.token_cookie(asked, session)
    assert token.startswith("_xsrf=")
    assert {"Path=/", "SameSite=Lax"} <= set(token.split("; "))
    assert "HttpOnly" not in token
    assert ("Secure" in token.split("; ")) is secure
    assert SimpleCookie(line)


def test_over_tls_only_the_cookie_that_no_other_host_can_set_counts() -> None:
    """S13"""
    made = sessions(Clock())
    _, plain = login(made)
    assert made.find(request(plain, "https")) is None
    assert made.find(request(login(made, "https")[1], "https")) is not None


def test_two_prefixes_have_two_names() -> None:
    first, second = sessions(Clock(), prefix="/a"), sessions(Clock(), prefix="/b")
    assert second.find(request(login(first)[1])) is None
    assert first.find(request(login(first)[1])) is not None


def test_a_session_ends_when_it_is_not_used() -> None:
    """S28"""
    clock = Clock()
    made = sessions(clock)
    _, cookie = login(made)
    clock.now += 8 * HOUR - 1
    assert made.find(request(cookie))
    clock.now += 1
    assert made.find(request(cookie)) is None


def test_a_session_that_is_used_goes_on_until_its_absolute_end() -> None:
    """S28"""
    clock = Clock()
    made = sessions(clock)
    start = clock.now
    session, cookie = login(made)
    while clock.now - start < 7 * DAY - HOUR:
        clock.now += HOUR
        assert made.find(request(cookie)), (clock.now - start) / DAY
        again = made.touched(session)
        assert again is not None
        session, cookie = again, pair(made.cookie(request(), again))
    clock.now = start + 7 * DAY
    assert made.find(request(cookie)) is None


def test_a_fresh_cookie_is_not_written_again() -> None:
    clock = Clock()
    made = sessions(clock)
    session, _ = login(made)
    clock.now += 299
    assert made.touched(session) is None
    clock.now += 1
    assert made.touched(session) is not None


def test_an_ended_session_is_over_and_others_are_not() -> None:
    """S28"""
    made = sessions(Clock())
    session, cookie = login(made)
    _, other = login(made)
    made.end(session)
    assert made.find(request(cookie)) is None
    assert made.find(request(other))


def test_everyone_can_be_logged_out_and_log_in_again() -> None:
    """S28"""
    clock = Clock()
    made = sessions(clock)
    cookies = [login(made)[1] for _ in range(3)]
    clock.now += 1
    made.end_all()
    assert [made.find(request(cookie)) for cookie in cookies] == [None] * 3
    clock.now += 1
    assert made.find(request(login(made)[1]))


def test_every_login_has_a_new_id() -> None:
    """S28"""
    made = sessions(Clock())
    assert len({made.begin(ANN).sid for _ in range(100)}) == 100


def test_what_was_ended_stays_ended_after_a_restart(tmp_path: Path) -> None:
    """S28, S30"""
    clock = Clock()
    first = sessions(clock, folder=tmp_path)
    session, cookie = login(first)
    _, other = login(first)
    first.end(session)
    second = sessions(clock, folder=tmp_path)
    assert second.find(request(cookie)) is None
    assert second.find(request(other))
    clock.now += 1
    second.end_all()
    assert sessions(clock, folder=tmp_path).find(request(other)) is None


def test_processes_with_one_folder_learn_of_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S30"""
    clock, ticks = Clock(), iter(range(0, 1000, 10))
    monkeypatch.setattr("flower.web.revocations.time.monotonic", lambda: float(next(ticks)))
    one, other = sessions(clock, folder=tmp_path), sessions(clock, folder=tmp_path)
    session, cookie = login(one)
    assert other.find(request(cookie))
    one.end(session)
    assert other.find(request(cookie)) is None


def test_the_list_of_ended_sessions_is_for_this_user_alone_and_does_not_grow_for_ever(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "deep" / "revoked"
    made = Revocations(path.parent, clock)
    for number in range(30_000):
        made._note(f"sid{number}", clock.now + 10)
    path.write_text("".join(f"sid{number:040} {clock.now + 10:.3f}\n" for number in range(30_000)))
    clock.now += 11
    for number in range(3_000):
        made._note(f"late{number}", clock.now + 10)
    assert len(made) <= 3_000
    again = Revocations(path.parent, clock)
    assert len(again) == 0
    assert path.stat().st_size < 100
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_file_is_written_anew_when_it_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flower.web.revocations._COMPACT_BYTES", 1000)
    monkeypatch.setattr("flower.web.revocations._LOOK_SECONDS", 0.0)
    clock = Clock()
    one, other = Revocations(tmp_path, clock), Revocations(tmp_path, clock)
    one.add("kept", clock.now + 10_000)
    clock.now += 1
    one.add_all()
    for number in range(500):
        clock.now += 1
        (one if number % 2 else other).add(f"sid{number:020}", clock.now + 5)
        assert (tmp_path / "revoked").stat().st_size < 2500
    for each in (one, other, Revocations(tmp_path, clock)):
        assert each.stands("kept", clock.now)
        assert each.stands("anything", 1_700_000_001.0)
        assert each.stands(f"sid{499:020}", clock.now)
        assert not each.stands("anything", clock.now)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["revoked", "revoked.lock"]


def test_a_damaged_line_costs_itself_alone(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "revoked").write_bytes(b"\xff\xfe nonsense\n\nname\nsid 99999999999\nhalf 9999")
    made = Revocations(tmp_path, clock)
    assert made.stands("sid", clock.now)
    assert not made.stands("half", clock.now)


@pytest.mark.parametrize("make", [Revocations, kept_secret])
def test_a_folder_that_cannot_be_used_stops_the_start(tmp_path: Path, make: object) -> None:
    place = tmp_path / "file"
    place.write_text("")
    with pytest.raises(ConfigurationError, match="--data_dir"):
        make(place / "below")  # type: ignore[operator]


def test_a_new_secret_signs_and_an_old_one_still_verifies() -> None:
    """S30"""
    clock = Clock()
    _, old = login(sessions(clock, SECRET))
    both = sessions(clock, OTHER, SECRET)
    assert both.find(request(old))
    _, new = login(both)
    assert sessions(clock, OTHER).find(request(new))
    assert sessions(clock, SECRET).find(request(new)) is None
    assert sessions(clock, OTHER).find(request(old)) is None


def test_processes_with_one_secret_share_sessions() -> None:
    """S30"""
    clock = Clock()
    assert sessions(clock).find(request(login(sessions(clock))[1]))


def test_a_secret_is_made_once_and_is_for_this_user_alone(tmp_path: Path) -> None:
    """S30"""
    folder = tmp_path / "sessions"
    first = kept_secret(folder)
    assert len(first) >= 32
    assert kept_secret(folder) == first
    assert stat.S_IMODE((folder / "cookie_secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["cookie_secret"]
    (folder / "cookie_secret").chmod(0o644)
    assert kept_secret(folder) == first
    assert stat.S_IMODE((folder / "cookie_secret").stat().st_mode) == 0o600


def test_an_empty_secret_file_is_no_secret(tmp_path: Path) -> None:
    """S29"""
    (tmp_path / "cookie_secret").write_text("short")
    with pytest.raises(ConfigurationError, match="holds no secret"):
        kept_secret(tmp_path)


def test_an_identity_that_no_cookie_holds_is_refused() -> None:
    made = sessions(Clock())
    crowd = Identity("ann@example.com", "gitlab", frozenset(f"group/{number}" for number in range(1000)))
    with pytest.raises(LoginRefused, match="groups"):
        made.cookie(request(), made.begin(crowd))


def test_the_word_against_forgery_belongs_to_one_session() -> None:
    """S07"""
    made = sessions(Clock(), SECRET, OTHER)
    one, other = made.begin(ANN), made.begin(ANN)
    assert made.token(one) != made.token(other)
    assert made.token(one) in made.tokens(one)
    assert sessions(Clock(), OTHER).token(one) in made.tokens(one)
