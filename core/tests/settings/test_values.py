"""From text and from Python values to settings."""

from __future__ import annotations

import math
from typing import Any

import pytest

from flower.settings import CORE
from flower.settings.values import adopt, parse
from flower_plugins import ConfigurationError, Option

OPTIONS = {option.name: option for option in CORE}


@pytest.mark.parametrize("word", ["true", "t", "yes", "y", "on", "1", "TRUE", "Yes", " on "])
def test_words_for_yes(word: str) -> None:
    assert parse(OPTIONS["debug"], [word]) is True


@pytest.mark.parametrize("word", ["false", "f", "no", "n", "off", "0", "False", "OFF"])
def test_words_for_no(word: str) -> None:
    assert parse(OPTIONS["debug"], [word]) is False


@pytest.mark.parametrize(
    ("name", "texts", "value"),
    [
        ("port", ["5001"], 5001),
        ("port", ["1", "2"], 2),
        ("port", ["0"], 0),
        ("inspect_timeout", ["250"], 250.0),
        ("inspect_timeout", ["1e3"], 1000.0),
        ("task_runtime_metric_buckets", ["0.1,1,inf"], (0.1, 1.0, math.inf)),
        ("task_runtime_metric_buckets", ["1", "2, 3"], (1.0, 2.0, 3.0)),
        ("allowed_hosts", ["a, b,", "c"], ("a", "b", "c")),
        ("allowed_hosts", [""], ()),
        ("logging", ["DEBUG"], "debug"),
        ("logging", ["None"], "none"),
        ("unix_socket_mode", ["0660"], "0660"),
        ("unix_socket_mode", ["0o600"], "0600"),
        ("unix_socket_mode", ["777"], "0777"),
        ("purge_offline_workers", ["0"], 0),
        ("url_prefix", ["/a/b/"], "/a/b/"),
        ("log_rotate_when", ["W6"], "W6"),
        ("address", [""], ""),
        ("trusted_proxies", ["10.1.2.3/8,::1"], ("10.1.2.3/8", "::1")),
    ],
)
def test_text_becomes_the_value(name: str, texts: list[str], value: object) -> None:
    assert parse(OPTIONS[name], texts) == value


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("debug", "maybe", "'maybe' is neither true nor false"),
        ("debug", "", "'' is neither true nor false"),
        ("port", "abc", "'abc' is not a whole number"),
        ("port", "1.5", "'1.5' is not a whole number"),
        ("port", "70000", "70000 is not a port, ports go from 0 to 65535"),
        ("port", "-1", "-1 is not a port, ports go from 0 to 65535"),
        ("inspect_timeout", "x", "'x' is not a number"),
        ("inspect_timeout", "nan", "'nan' is not a number"),
        ("inspect_timeout", "inf", "inf must be a number above 0"),
        ("inspect_timeout", "0", "0 must be a number above 0"),
        ("max_tasks", "0", "0 is too small, it must be at least 1"),
        ("purge_offline_workers", "-1", "-1 is too small, it must be at least 0"),
        ("task_runtime_metric_buckets", "1,x", "'x' is not a number"),
        ("logging", "loud", "'loud' is not one of debug, info, warning, error, critical, none"),
        ("log_rotate_mode", "age", "'age' is not one of size, time"),
        ("log_rotate_when", "W7", "'W7' is not one of S, M, H, D, W0 to W6, midnight"),
        ("unix_socket_mode", "0888", "'0888' is not a file mode in octal digits, like 0660"),
        ("url_prefix", "a b", "'a b' cannot be a path in a URL, it should look like flower or /a/b"),
        ("url_prefix", "../x", "'../x' cannot be a path in a URL, it should look like flower or /a/b"),
        ("url_prefix", "http://h/x", "'http://h/x' cannot be a path in a URL, it should look like flower or /a/b"),
        ("trusted_proxies", "::1,proxy", "'proxy' is neither an IP address nor a network like 10.0.0.0/8"),
        ("format_task", "f", "it can only be set in flowerconfig.py"),
    ],
)
def test_text_that_makes_no_sense_is_refused_with_a_sentence(name: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared whole
        parse(OPTIONS[name], [text])
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("port", "5733", 5733),
        ("port", 5733, 5733),
        ("debug", "no", False),
        ("debug", True, True),
        ("inspect_timeout", 5, 5.0),
        ("logging", "DEBUG", "debug"),
        ("allowed_hosts", ["a,b", "c"], ("a,b", "c")),
        ("allowed_hosts", "a,b", ("a", "b")),
        ("task_runtime_metric_buckets", [1, 2.5, "inf"], (1.0, 2.5, math.inf)),
        ("task_runtime_metric_buckets", 1, (1.0,)),
        ("format_task", len, len),
    ],
)
def test_python_values_are_adopted(name: str, given: object, value: object) -> None:
    assert adopt(OPTIONS[name], given) == value


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("port", 1.5, "it must be of type int, not float"),
        ("port", True, "it must be of type int, not bool"),
        ("debug", 1, "it must be of type bool, not int"),
        ("address", 5, "it must be of type str, not int"),
        ("inspect_timeout", True, "it must be of type float, not bool"),
        ("inspect_timeout", math.nan, "nan is not a number"),
        ("allowed_hosts", [1], "it must be of type str, not int"),
        ("allowed_hosts", {"a": 1}, "it must be of type str, not dict"),
        ("format_task", "f", "it must be a function, not str"),
        ("port", "x", "'x' is not a whole number"),
    ],
)
def test_python_values_of_another_type_are_refused(name: str, given: object, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared whole
        adopt(OPTIONS[name], given)
    assert str(caught.value) == sentence


def _refuse(value: Any) -> Any:
    raise ValueError(f"{value} is too short")


def _break(value: Any) -> Any:
    raise KeyError(value)


def _refuse_all(value: Any) -> Any:
    raise ValueError("every entry is user:password")


def _quote_the_end(value: str) -> str:
    raise ValueError(f"{value[-4:]!r} is no end")


def _stop(value: Any) -> Any:
    raise ConfigurationError("no")


@pytest.mark.parametrize("kind", [str, int])
def test_a_secret_is_not_in_the_sentence(kind: type) -> None:
    option = Option("pin", kind, secret=True, check=_refuse)
    for text in ("1234", "12x4"):
        with pytest.raises(ValueError, match=r"^the value is not (accepted|a whole number)$"):
            parse(option, [text])


@pytest.mark.parametrize("text", ["user", "password", "e", "x:"])
def test_a_fixed_sentence_about_a_secret_is_kept_as_it_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"^every entry is user:password$"):
        parse(Option("pin", secret=True, multiple=True, check=_refuse_all), [text])


@pytest.mark.parametrize("text", ["http://a:canary@h", "canary"])
def test_a_sentence_that_is_composed_gives_way_to_the_help_of_a_secret(text: str) -> None:
    with pytest.raises(ValueError, match=r"^the value is not accepted; it is to be: A URL\.$"):
        parse(Option("url", help="A URL.", secret=True, check=_quote_the_end), [text])


def test_a_secret_outside_the_choices_is_not_in_the_sentence() -> None:
    with pytest.raises(ValueError, match=r"^the value is not one of a, b$"):
        parse(Option("pin", secret=True, choices=("a", "b")), ["1234"])


def test_a_check_that_breaks_is_reported_as_such() -> None:
    with pytest.raises(ValueError, match=r"^its check failed with KeyError$"):
        parse(Option("x", check=_break), ["a"])


def test_a_check_that_forgets_to_return_is_told_so() -> None:
    with pytest.raises(ValueError, match=r"^its check returned nothing, where the value was to be returned$"):
        parse(Option("x", int, check=lambda value: None), ["3"])


def test_a_check_may_say_everything_itself() -> None:
    with pytest.raises(ConfigurationError, match=r"^no$"):
        parse(Option("x", check=_stop), ["a"])


def test_paths_are_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "shell").mkdir()
    (tmp_path / "shell" / "cert.pem").touch()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PWD", str(tmp_path / "shell"))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = OPTIONS["certfile"]
    assert parse(path, ["~/x.pem"]) == str(tmp_path / "x.pem")
    assert parse(path, ["cert.pem"]) == str(tmp_path / "shell" / "cert.pem")
    assert parse(path, ["other.pem"]) == str(tmp_path / "work" / "other.pem")
    assert parse(path, ["/a/b"]) == "/a/b"
