"""Whatever pair a task has, its text must not rule the task out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.state.search import parse
from flower.state.search.matcher import plain_text
from flower.state.search.pairs import is_odd, pairs, spellings
from flower.state.search.syntax import Term
from flower.state.tasks import TaskRecord

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
KWARGS = st.dictionaries(st.text("ab_ '\"\\:1é", max_size=4) | st.sampled_from(["user", "User"]), VALUES, max_size=4)


@given(KWARGS, st.sampled_from([repr, json.dumps]))
def test_every_pair_of_a_task_is_found_in_its_text(kwargs: dict[str, Any], write: Any) -> None:
    record = TaskRecord("u", kwargs=write(kwargs))
    text = plain_text(record)
    for key, value in pairs(record.kwargs or "").items():
        assert text.endswith(b"\xfe") or any(spelling.text in text for spelling in spellings(key, value)), (key, value)


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
    assert search.places([plain_text(record)]) == [0]
    assert search.may_be_among(plain_text(record))


def test_a_plain_text_without_the_pair_is_passed_over() -> None:
    search = parse("kwargs:user=7")
    assert isinstance(search._node, Term)
    for kwargs in ("{'user': 8}", "{'user': '77'}", "{'users': 7}", "{}", None):
        record = TaskRecord("u", kwargs=kwargs, args="('user', 7)")
        assert search.places([plain_text(record)]) == []
        assert not search.may_be_among(plain_text(record))
        assert not search.matches(record)
