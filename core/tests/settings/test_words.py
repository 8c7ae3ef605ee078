"""Every way to spell an option, and what is left over."""

from __future__ import annotations

import pytest

from flower.settings.catalogue import Catalogue
from flower.settings.words import read
from flower_plugins import ConfigurationError, Option

CATALOGUE = Catalogue([("auth_basic", Option("basic_auth", multiple=True, default=(), secret=True, claims=True))])


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--port=5001"], "port", "5001"),
        (["--port", "5001"], "port", "5001"),
        (["-port=5001"], "port", "5001"),
        (["-port", "5001"], "port", "5001"),
        (["--max-tasks=5"], "max_tasks", "5"),
        (["--max_tasks=5"], "max_tasks", "5"),
        (["--log_file-prefix", "x"], "log_file_prefix", "x"),
        (["\N{EN DASH}port=5001"], "port", "5001"),
        (["\N{EM DASH}port", "5001"], "port", "5001"),
        (["\N{EN DASH}\N{EN DASH}port=5001"], "port", "5001"),
        (["\N{EN DASH}basic_auth=a:b"], "basic_auth", "a:b"),
        (["--address="], "address", ""),
        (["--url_prefix=a=b"], "url_prefix", "a=b"),
        (["--cookie-secret=-=x"], "cookie_secret", "-=x"),
        (["--purge_offline_workers", "-1"], "purge_offline_workers", "-1"),
        (["--debug"], "debug", "true"),
        (["-debug"], "debug", "true"),
        (["--debug=no"], "debug", "no"),
        (["--debug", "off"], "debug", "off"),
        (["--debug", "FALSE"], "debug", "FALSE"),
        (["--debug", "--port=1"], "debug", "true"),
        (["--plugins"], "plugins", "text"),
        (["--plugins=json"], "plugins", "json"),
        (["-h"], "help", "true"),
    ],
)
def test_an_option_is_understood_in_every_spelling(words: list[str], name: str, value: str) -> None:
    found = read(words, CATALOGUE)
    assert (found.settings[0].name, found.settings[0].value) == (name, value)
    assert [found.unknown, found.stray, found.misplaced] == [[], [], []]


def test_repeated_options_keep_their_order_and_position() -> None:
    found = read(["--basic_auth=a:b", "--debug", "--basic-auth", "c:d"], CATALOGUE)
    assert found.texts("basic_auth") == ["a:b", "c:d"]
    assert [typed.position for typed in found.settings] == [0, 1, 2]


@pytest.mark.parametrize("words", [["--debug", "maybe"], ["--", "debug"], ["debug"], ["-"], ["--port=1", "x"]])
def test_a_word_that_belongs_to_no_option_is_stray(words: list[str]) -> None:
    assert read(words, CATALOGUE).stray == [len(words) - 1]


def test_everything_after_two_dashes_is_stray() -> None:
    found = read(["--", "--port=1", "--debug"], CATALOGUE)
    assert (found.settings, found.stray) == ([], [1, 2])


@pytest.mark.parametrize("words", [["--port"], ["--port", "--debug"], ["--port", "--"], ["-A"], ["--broker"]])
def test_an_option_without_its_value_is_refused(words: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{words[0]} needs a value \(command line\)\. Write {words[0]}="):
        read(words, CATALOGUE)


@pytest.mark.parametrize(
    ("words", "celery"),
    [
        (["-A", "proj"], {"app": "proj"}),
        (["-Aproj"], {"app": "proj"}),
        (["--app=proj.celery:app"], {"app": "proj.celery:app"}),
        (["-b", "redis://h"], {"broker": "redis://h"}),
        (["-bredis://h/0?a=b"], {"broker": "redis://h/0?a=b"}),
        (["--broker", "redis://h"], {"broker": "redis://h"}),
        (["--broker=redis://h"], {"broker": "redis://h"}),
        (["--result-backend=rpc://", "--broker=amqp://"], {"result_backend": "rpc://", "broker": "amqp://"}),
        (["--result_backend", "rpc://"], {"result_backend": "rpc://"}),
        (["redis://:pw@h:6379/0", "--port=1"], {"broker": "redis://:pw@h:6379/0"}),
        (["redis://h", "--broker=amqp://x"], {"broker": "amqp://x"}),
    ],
)
def test_celery_options_with_an_effect_are_collected(words: list[str], celery: dict[str, str]) -> None:
    found = read(words, CATALOGUE)
    assert found.celery == celery
    assert [found.unknown, found.stray, found.misplaced] == [[], [], []]


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["--loglevel=DEBUG"], ["--loglevel"]),
        (["--loglevel", "INFO"], ["--loglevel"]),
        (["-l", "info", "-E"], ["-l", "-E"]),
        (["-linfo"], ["-linfo"]),
        (["--workdir", "/x", "-C", "-q"], ["--workdir", "-C", "-q"]),
        (["--no-color"], ["--no-color"]),
        (["--pidfile=/tmp/x"], ["--pidfile"]),
    ],
)
def test_other_celery_options_are_misplaced(words: list[str], flags: list[str]) -> None:
    found = read(words, CATALOGUE)
    assert found.misplaced == flags
    assert [found.unknown, found.stray] == [[], []]


@pytest.mark.parametrize("word", ["--basic_auht=a:b", "-basic_auht=a:b", "-bogus", "--bogus", "-lost", "--Port=1"])
def test_an_unknown_option_is_not_taken_for_another_one(word: str) -> None:
    found = read([word], CATALOGUE)
    assert [typed.flag for typed in found.unknown] == [word.partition("=")[0]]
    assert [found.celery, found.misplaced, found.settings] == [{}, [], []]


@pytest.mark.parametrize(
    ("words", "stray"),
    [
        (["--broker_api", "http://h/api/"], []),
        (["--persistent", "false"], []),
        (["--persistent", "other"], [1]),
        (["--tasks_columns=name"], []),
    ],
)
def test_options_of_absent_plugins_take_their_value_along(words: list[str], stray: list[int]) -> None:
    found = read(words, Catalogue())
    assert len(found.absent) == 1
    assert found.stray == stray
    assert not found.celery
