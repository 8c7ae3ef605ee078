"""Whatever pair a task has, its text must not rule the task out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.state.literals import read_mapping
from flower.state.search import parse
from flower.state.search.pairs import KwargsColumn, _fold, is_odd, pairs
from flower.state.tasks import TaskRecord

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
KWARGS = st.dictionaries(st.text("ab_ '\"\\:1é", max_size=4) | st.sampled_from(["user", "User"]), VALUES, max_size=4)


def found(kwargs: Sequence[str], key: str, value: str) -> list[str]:
    """Return what the column leaves to be parsed."""
    return [text for _, text in KwargsColumn(kwargs).candidates(key, value)]


@given(KWARGS, st.sampled_from([repr, json.dumps]))
def test_every_pair_of_a_task_is_found_in_its_text(kwargs: dict[str, Any], write: Any) -> None:
    text = write(kwargs)
    for key, value in pairs(text).items():
        assert found(["{}", text, "", "{'other': 1}"], key, value).count(text) == 1, (key, value)


@given(KWARGS)
def test_what_looks_plain_is_read_as_the_reader_of_literals_reads_it(kwargs: dict[str, Any]) -> None:
    for text in (repr(kwargs), repr(kwargs)[:-1], repr(kwargs) + "}", repr(kwargs).replace(", '", ",'")):
        wanted = {_fold(key): _fold(value) for key, value in (read_mapping(text) or {}).items()}
        assert pairs(text) == wanted


@pytest.mark.parametrize(
    ("kwargs", "wanted"),
    [
        ("{}", {}),
        ("{'User': ' Ann ', 'n': -5, 'b': True, 'x': None}", {"user": "ann", "n": "-5", "b": "true", "x": ""}),
        ("{'n': -0}", {"n": "0"}),
        ("{'n': 007}", {"n": "7"}),
        ("{'n': 5,}", {"n": "5"}),
        ("{'n': 5, }", {"n": "5"}),
        ("{'n': 1.50}", {"n": "1.5"}),
        ("{'n': Trueish}", {}),
        ("{'n': 5", {}),
        ("{'n': 5, ...}", {}),
        ("{'a': 1, 'A': 2, 'a': 3}", {"a": "2"}),
        ("{'a': {'b': 1}}", {"a": "{'b': 1}"}),
    ],
)
def test_how_pairs_are_read(kwargs: str, wanted: dict[str, str]) -> None:
    assert pairs(kwargs) == wanted


@pytest.mark.parametrize(
    "kwargs",
    [
        "{'user':7}",
        "{'user' : 7}",
        '{"user": 7}',
        "{'user':  7}",
        "{ 'user': 7}",
        "{' user': 7}",
        "{'user ': 7}",
        "{'user': ' 7'}",
        "{'user': '7 '}",
        "{'user': u'7'}",
        "{'a': 1, ' user': 7}",
        "{'us\\x65r': 7}",
        "{'user':\n7}",
    ],
)
def test_other_spellings_are_marked_and_read_all_the_same(kwargs: str) -> None:
    assert is_odd(kwargs)
    search = parse("kwargs:user=7")
    record = TaskRecord("u", kwargs=kwargs)
    assert search.matches(record)
    assert found([kwargs, "{}"], "user", "7") == [kwargs]


def test_a_plain_text_without_the_pair_is_passed_over() -> None:
    search = parse("kwargs:user=7")
    kwargs = ["{'user': 8}", "{'user': '77'}", "{'users': 7}", "{'user': 70}", "{}", "", '{"other": 7}']
    assert found(kwargs, "user", "7") == []
    for text in kwargs:
        assert not search.matches(TaskRecord("u", kwargs=text, args="('user', 7)"))


@pytest.mark.parametrize(("key", "value"), [("a b", "7"), ("5", "7"), ("", "7")])
def test_a_key_that_is_no_word_may_be_spelt_in_any_way(key: str, value: str) -> None:
    assert found(["{'a': 1}", "{'b': 2}"], key, value) == ["{'a': 1}", "{'b': 2}"]
