"""S24, S25: what comes back from a provider counts once, in time, in the browser that was sent there."""

from __future__ import annotations

import base64
import hashlib

import pytest

from flower.web.cookies import Cookies
from flower.web.keys import Keys
from flower.web.ticket import Tickets
from flower_plugins import LoginRefused
from flower_plugins.testing import FakeClock as Clock
from flower_plugins.testing import browser_request as request

SECRET, OTHER = "s" * 32, "o" * 32


def pair(line: str) -> str:
    """Return what a browser sends back of a Set-Cookie line."""
    return line.partition(";")[0]


def tickets(clock: Clock, *secrets: str, provider: str = "google") -> Tickets:
    return Tickets(
        Keys(secrets or (SECRET,), clock),
        Cookies(""),
        provider=provider,
        redirect_uri="http://localhost/login",
        clock=clock,
    )


def test_a_ticket_comes_back_with_its_page_and_its_verifier() -> None:
    """S25, S27"""
    clock = Clock()
    made = tickets(clock)
    ticket, (line,) = made.issue(request(), "/tasks?a=1&b=2")
    back = made.redeem(request(pair(line)), ticket.state)
    assert back.next == "/tasks?a=1&b=2"
    assert back.ticket == ticket
    assert 43 <= len(ticket.verifier) <= 128
    assert ticket.verifier not in line
    assert ticket.nonce not in line
    assert ticket.nonce != ticket.verifier
    assert base64.urlsafe_b64encode(hashlib.sha256(ticket.verifier.encode()).digest())


def test_a_state_counts_once() -> None:
    """S25"""
    made = tickets(Clock())
    ticket, (line,) = made.issue(request(), "/")
    made.redeem(request(pair(line)), ticket.state)
    with pytest.raises(LoginRefused, match="State tokens do not match"):
        made.redeem(request(pair(line)), ticket.state)


def test_a_state_counts_for_ten_minutes() -> None:
    """S25"""
    clock = Clock()
    made = tickets(clock)
    ticket, (line,) = made.issue(request(), "/")
    other, (other_line,) = made.issue(request(), "/")
    clock.now += 599
    made.redeem(request(pair(line)), ticket.state)
    clock.now += 1
    with pytest.raises(LoginRefused, match="10 minutes"):
        made.redeem(request(pair(other_line)), other.state)


@pytest.mark.parametrize("state", ["", "x", "\udcff", "ä" * 20, "a" * 5000])
def test_a_foreign_state_does_not_count(state: str) -> None:
    """S25"""
    made = tickets(Clock())
    ticket, (line,) = made.issue(request(), "/")
    for asked, given in (
        (request(pair(line)), state),
        (request(), ticket.state),
        (request(pair(line)), ticket.state[:12] + "x" * 20),
        (request(pair(line)), ticket.state.lower() + "x"),
    ):
        with pytest.raises(LoginRefused, match="State tokens do not match"):
            made.redeem(asked, given)


def test_a_state_is_bound_to_its_provider() -> None:
    """S25"""
    clock = Clock()
    ticket, (line,) = tickets(clock).issue(request(), "/")
    with pytest.raises(LoginRefused, match="State tokens do not match"):
        tickets(clock, provider="github").redeem(request(pair(line)), ticket.state)


def test_another_process_with_the_secret_takes_the_ticket() -> None:
    clock = Clock()
    ticket, (line,) = tickets(clock, SECRET).issue(request(), "/")
    assert tickets(clock, OTHER, SECRET).redeem(request(pair(line)), ticket.state).ticket == ticket
    with pytest.raises(LoginRefused):
        tickets(clock, OTHER).redeem(request(pair(line)), ticket.state)


def test_several_tabs_log_in_at_once() -> None:
    made = tickets(Clock())
    issued = [made.issue(request(), f"/{number}") for number in range(3)]
    jar = "; ".join(pair(lines[0]) for _, lines in issued)
    assert [made.redeem(request(jar), ticket.state).next for ticket, _ in issued] == ["/0", "/1", "/2"]


def test_logins_that_are_never_finished_do_not_fill_the_jar() -> None:
    made = tickets(Clock())
    jar: dict[str, str] = {}
    for _ in range(50):
        _, lines = made.issue(request("; ".join(f"{name}={value}" for name, value in jar.items())), "/")
        for line in lines:
            name, _, value = pair(line).partition("=")
            jar[name] = value
            if not value:
                del jar[name]
        assert len(jar) <= 9


def test_a_flood_of_finished_logins_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flower.web.ticket._MOST", 10)
    clock = Clock()
    made = tickets(clock)
    for _ in range(50):
        ticket, (line,) = made.issue(request(), "/")
        made.redeem(request(pair(line)), ticket.state)
        assert len(made._used) <= 10
        with pytest.raises(LoginRefused):
            made.redeem(request(pair(line)), ticket.state)
