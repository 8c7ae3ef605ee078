from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.state.literals import read_mapping

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.binary(max_size=10)
)
KEYS = ATOMS | st.tuples(ATOMS, ATOMS)
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.sets(ATOMS, max_size=3)
    ),
    max_leaves=15,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_python_prints_is_read_back(mapping: dict[Any, Any]) -> None:
    assert read_mapping(repr(mapping)) == mapping


@given(st.text(alphabet="{}[](),:'\"\\x0bNone1e+- \n", max_size=60))
def test_no_text_raises(text: str) -> None:
    assert isinstance(read_mapping("{" + text), dict | None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (" { 'a' : 1 , } ", {"a": 1}),
        (r"{'a': '\x41\u00e9\U0001f600\101\n\'\q'}", {"a": "Aé😀A\n'\\q"}),
        (r"{'a': '\ud800'}", {"a": "\ufffd"}),
        ("{'a': (1), 'b': (1,), 'c': ()}", {"a": 1, "b": (1,), "c": ()}),
        ("{'a': set(), 'b': {1, 2}, 'c': b'\\xff'}", {"a": set(), "b": {1, 2}, "c": b"\xff"}),
        ("{'a': -1.5e3, 'b': 1_0}", None),
        ("{'a': -1.5e3, 'b': .5, 'c': 7.}", {"a": -1500.0, "b": 0.5, "c": 7.0}),
        ("{'a': <object at 0x7f>}", None),
        ("{'a': 'long…", None),
        ("{'a': 1, ...}", None),
        ("{'a': [1, 2, ...]}", None),
        ("{'a': nan}", None),
        ("{'a': 1e999}", None),
        ("{'a': 1 + 1}", None),
        ("{'a': Decimal('1')}", None),
        ("{'a': Nonesuch}", None),
        ("{'a' 'b': 1}", None),
        ("{'a': 1 'b': 2}", None),
        ("{'a': 1}}", None),
        ("{'a': 1, 2}", None),
        ("{[1]: 2}", None),
        ("{{1}: 2}", None),
        ("{,}", None),
        (r"{'a': '\U7fffffff'}", None),
        ("{b'\u20ac': 1}", None),
        ("{1}", None),
        ("[1]", None),
        ("", None),
    ],
)
def test_only_mappings_of_plain_literals_are_read(text: str, value: Any) -> None:
    assert read_mapping(text) == value


@pytest.mark.parametrize(
    "bomb",
    [
        "{'a': " + "(" * 5000,
        "{'a': " + "[" * 30_000 + "]" * 30_000 + "}",
        "{" * 60_000,
        "{'a': " + "-" * 60_000 + "1}",
        "{'a': " + "1+" * 30_000 + "1}",
        "{'a': " + "9" * 60_000 + "}",
        "{'a': '" + "\\" * 60_001 + "'}",
        "{'a': '" + "x" * 65_000,
        "{" + ", ".join(f"{n * (2**61 - 1)}: 1" for n in range(3000)) + "}",
        "{'a': [" + "0," * 30_000 + "]}",
        "{" + " " * 65_000,
        "{'a': '" + "x" * 100_000 + "'}",
    ],
)
def test_bombs_are_refused_quickly_r13(bomb: str) -> None:
    start = perf_counter()
    assert read_mapping(bomb) is None
    assert perf_counter() - start < 2
