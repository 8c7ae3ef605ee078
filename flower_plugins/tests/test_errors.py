"""Errors carry the status a handler answers with, and words that help."""

from __future__ import annotations

import pytest

from flower_plugins import errors
from flower_plugins.errors import ConfigurationError, FlowerError


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("ConfigurationError", 500),
        ("QueryError", 400),
        ("InvalidParameter", 400),
        ("Forbidden", 403),
        ("NotFound", 404),
        ("Offline", 409),
        ("Unavailable", 503),
        ("NoReply", 504),
    ],
)
def test_every_error_has_its_status_and_its_place_in_the_tree(name: str, status: int) -> None:
    error = getattr(errors, name)("words")
    assert isinstance(error, FlowerError)
    assert error.status == status
    assert error.message == str(error) == "words"


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert errors.__doc__ is not None
    assert [name for name in errors.__all__ if name not in errors.__doc__] == []


@pytest.mark.parametrize(
    ("where", "mend", "text"),
    [
        ("", "", "Port 99999 is taken"),
        ("--port", "", "Port 99999 is taken (--port)"),
        ("", "Pick another.", "Port 99999 is taken. Pick another."),
        ("--port", "Pick another.", "Port 99999 is taken (--port). Pick another."),
    ],
)
def test_a_configuration_error_says_what_where_and_how_to_mend(where: str, mend: str, text: str) -> None:
    error = ConfigurationError("Port 99999 is taken", where=where, mend=mend)
    assert str(error) == text
    assert (error.what, error.where, error.mend) == ("Port 99999 is taken", where, mend)


@pytest.mark.parametrize("mark", [".", "!", "?"])
def test_a_sentence_that_has_ended_gets_no_second_full_stop(mark: str) -> None:
    assert str(ConfigurationError(f"No broker{mark}", mend="Name one.")) == f"No broker{mark} Name one."
