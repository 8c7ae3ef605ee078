"""Columns against a look at each text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.state.search import columns
from flower.state.search.columns import Column, everywhere, spelt

TEXTS = st.lists(st.text("abA\xff\0İß ", max_size=4) | st.sampled_from(["", "ab", "AB"]), min_size=1, max_size=40)
TERMS = st.text("abA\xff\0İß ", min_size=1, max_size=3).map(str.casefold)


def places(found: int, number: int) -> list[int]:
    return [place for place, there in enumerate(found.to_bytes(number, "little")) if there]


@pytest.fixture(scope="module", params=[0, 2, 48])
def singly(request: pytest.FixtureRequest) -> Iterator[int]:
    """How many hits are looked at one by one; the rest is found another way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_SINGLY", request.param)
        yield request.param


@given(TEXTS, TERMS)
def test_a_column_finds_what_each_text_has(singly: int, texts: list[str], term: str) -> None:
    column, number = Column(texts), len(texts)
    wanted = [place for place, text in enumerate(texts) if term in text.casefold()]
    assert places(column.holding(spelt(term)), number) == wanted
    some = list(range(0, number, 3))
    assert set(places(column.holding(spelt(term), some), number)) & set(some) == set(wanted) & set(some)
    assert places(column.equal(spelt(term)), number) == [n for n, text in enumerate(texts) if text.casefold() == term]


@pytest.mark.parametrize(
    ("texts", "number"),
    [(["a"] * 300, 1), ([str(n % 256) for n in range(1000)], 256), ([str(n % 257) for n in range(1000)], 1000)],
)
def test_equal_texts_are_kept_once_where_a_byte_can_name_them(texts: list[str], number: int) -> None:
    column = Column(texts)
    assert column.number == number
    assert places(column.equal("7"), len(texts)) == [n for n, text in enumerate(texts) if text == "7"]
    assert column.size < 8 * len(texts)


def test_everywhere_is_a_byte_for_each_place() -> None:
    assert [places(everywhere(number), number) for number in (1, 3)] == [[0], [0, 1, 2]]
