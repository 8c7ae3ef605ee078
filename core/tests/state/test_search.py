from __future__ import annotations

from datetime import datetime, timezone

import pytest

from flower.state.search import parse
from flower.state.search.syntax import All, Node, Not, One, Range, Term, read
from flower.state.tasks import TaskRecord
from flower_plugins import QueryError

MOMENTS = "2026-01-31, >=2026-01-31T10:00 or 2026-01-01..2026-01-31"
RECORD = TaskRecord(
    "227baca5-aa",
    state="FAILURE",
    name="proj.Send_Email",
    worker="w1@lab",
    args="('hello world', 'x(y)')",
    kwargs="{'label': 'Some Value', 'ok': True, 'none': None, 'n': 5}",
    result="TimeoutError: it's late",
    exception="ConnectionResetError()",
    traceback="Traceback: line 5",
    queue="mail",
    root_id="r-1",
    parent_id="p-1",
    retries=2,
    runtime=1.5,
    received=datetime(2026, 1, 1, 10, 30, 15, tzinfo=timezone.utc).timestamp(),
)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("   ", True),
        ("email late", True),
        ("email AND late", True),
        ("email invoice", False),
        ("email invoice OR late", True),
        ("invoice OR email late", True),
        ("(invoice OR email) late", True),
        ("(invoice OR email) lunch", False),
        ("EMAIL", True),
        ("227BACA5", True),
        ("w", True),
        ("w1", True),
        ("zz", False),
        ("or", True),
        ('"AND"', False),
        ("failure", True),
        ("name:email", True),
        ("NAME:email", True),
        ("name:late", False),
        ("worker:lab", True),
        ("state:failure", True),
        ("state:fail", False),
        ("state:FAILURE state:FAILURE", True),
        ("state:FAILURE state:SUCCESS", False),
        ("(state:FAILURE OR state:RETRY) result:timeout", True),
        ("(state:SUCCESS OR state:RETRY) result:timeout", False),
        ('args:"hello world"', True),
        ('args:"hello  world"', False),
        ('"x(y)"', True),
        ("uuid:227", True),
        ("uuid:late", False),
        ("-invoice", True),
        ("-email", False),
        ("NOT email OR late", True),
        ("NOT (email late)", False),
        ("NOT (email lunch)", True),
        ("-(invoice OR lunch) email", True),
        ("NOT -email", True),
        ("email -name:late", True),
        ("-state:FAILURE", False),
        ('-"hello world"', False),
        ('-"hello  world"', True),
        ('"-email"', False),
        ("exception:connection", True),
        ("exception:late", False),
        ("connectionreset", False),
        ("traceback:line", True),
        ("queue:mail", True),
        ("root:r-1", True),
        ("parent:p-1", True),
        ("parent:r-1", False),
        ("retries:2", True),
        ("retries:>1", True),
        ("retries:>2", False),
        ("retries:>=2", True),
        ("retries:<2", False),
        ("retries:<=2", True),
        ("retries:0..1", False),
        ("retries:1..", True),
        ("retries:..1", False),
        ("-retries:3", True),
        ("runtime:>1.4", True),
        ("runtime:1500ms", True),
        ("runtime:1s..2s", True),
        ("runtime:>1m", False),
        ("received:2026-01-01", True),
        ("received:2026-01-01T10:30", True),
        ("received:2026-01-01T10:31", False),
        ("received:>2026-01-01", False),
        ("received:>=2026-01-01T10:00", True),
        ("received:<=2026-01-01T10:30", True),
        ("received:<2026-01-01T10:30", False),
        ("received:2025-12-31..2026-01-01", True),
        ('received:"2026-01-01 10:30:15"', True),
        ("received:2026-01-01T11:30+01:00", True),
        ("received:2026-01-01T10:30:15.5Z", False),
        ("started:>2020-01-01", False),
        ("NOT started:>2020-01-01", True),
        ("age:>1d", True),
        ("age:<5m", False),
        ("http://x", False),
        ("kwargs:label", True),
        ("kwargs:label=Some", False),
        ('kwargs:label="some value"', True),
        ('kwargs:" LABEL = Some Value "', True),
        ("kwargs:ok=true", True),
        ("kwargs:none=", True),
        ("kwargs:n=5", True),
        ("kwargs:n=6", False),
        ("kwargs:=5", False),
        ("name:-abc", False),
        ('name:"-" OR late', True),
        ("lab ('hello", False),
    ],
)
def test_what_a_search_finds(text: str, matches: bool) -> None:
    search = parse(text if text != "lab ('hello" else '"lab (\'hello"')
    assert search.matches(RECORD) is matches


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('abc"def ghi"jkl', Term("", "abcdef ghijkl")),
        (r'"a\"b\\c\d"', Term("", r'a"b\c\d')),
        ('"name:foo bar"', Term("name", "foo bar")),
        ("a a A", Term("", "a")),
        ("a (b (c d))", All((Term("", "a"), Term("", "b"), Term("", "c"), Term("", "d")))),
        ("a OR (b OR a)", One((Term("", "a"), Term("", "b")))),
        ("a OR b c", One((Term("", "a"), All((Term("", "b"), Term("", "c")))))),
        ("a(b)c", All((Term("", "a"), Term("", "b"), Term("", "c")))),
        ("kwargs:a=b=c", Term("kwargs", "b=c", key="a")),
        ('"NOT"', Term("", "not")),
        ("((((( a )))))", Term("", "a")),
        ("", None),
        ("NOT a b", All((Not(Term("", "a")), Term("", "b")))),
        ("-a OR -b", One((Not(Term("", "a")), Not(Term("", "b"))))),
        ("NOT NOT a", Term("", "a")),
        ("--a", Term("", "a")),
        ("a-b", Term("", "a-b")),
        ('"-a"', Term("", "-a")),
        ("retries:1..3", Range("retries", 1.0, 3.0)),
        ("age:<5m", Range("age", None, 300.0, without_high=True)),
    ],
)
def test_how_a_search_is_read(text: str, tree: Node | None) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("args:(abc)", "Search qualifier requires a value at position 0."),
        ('abc name:""', "Search qualifier requires a value at position 4."),
        ("abc NOT", "NOT must be followed by a search term at position 4."),
        ("abc NOT OR x", "NOT must be followed by a search term at position 4."),
        ("abc -", "- must be followed by a search term at position 4."),
        ("-) a", "- must be followed by a search term at position 0."),
        ("-()", "Empty group at position 1."),
        ("a retries:x", "Search qualifier retries expects a whole number such as 2, >0 or 1..3 at position 2."),
        ("retries:1.5", "Search qualifier retries expects a whole number such as 2, >0 or 1..3 at position 0."),
        (
            "runtime:>abc",
            "Search qualifier runtime expects seconds or a duration such as 1.5, >250ms, <=5m or 1h..2h at position 0.",
        ),
        (
            "age:..",
            "Search qualifier age expects seconds or a duration such as 1.5, >250ms, <=5m or 1h..2h at position 0.",
        ),
        (
            "received:2026-02-30",
            f"Search qualifier received expects a date or time such as {MOMENTS} at position 0.",
        ),
        ("abc AND", "AND must be followed by a search term at position 4."),
        ("abc AND OR x", "AND must be followed by a search term at position 4."),
        ("abc OR", "OR must be followed by a search term at position 4."),
        ("(abc OR ) x", "OR must be followed by a search term at position 5."),
        ("AND abc", "Expected a search term at position 0."),
        ("abc (OR d)", "Expected a search term at position 5."),
        ("abc ()", "Empty group at position 4."),
        ("(abc", "Missing closing parenthesis at position 0."),
        ("abc (", "Missing closing parenthesis at position 4."),
        ("abc)", "Unexpected ')' at position 3."),
        (")", "Unexpected ')' at position 0."),
        ('abc "def', "Unterminated quoted phrase at position 4."),
        ('abc""def"', "Unterminated quoted phrase at position 8."),
        ('abc ""', "Empty search term at position 4."),
        ('"  "', "Empty search term at position 0."),
        ("((((((a))))))", "Query nesting exceeds 5 levels at position 5."),
        ("a" * 2049, "Query exceeds 2048 characters."),
        ("a " * 129, "Query exceeds 128 tokens."),
        ("(" * 129, "Query exceeds 128 tokens."),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, error: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert caught.value.message == error


@pytest.mark.parametrize("text", ["a" * 2048, "a " * 128])
def test_limits_are_inclusive(text: str) -> None:
    parse(text)


def test_a_record_without_texts_matches_nothing_but_its_id() -> None:
    record = TaskRecord("abc")
    assert parse("abc").matches(record)
    assert not parse("name:a OR kwargs:a=b OR none").matches(record)


@pytest.mark.parametrize(
    ("text", "indexed", "everything"),
    [
        ("state:FAILURE", ("failure",), True),
        ("x state:Retry", ("retry",), False),
        ("state:failure name:add worker:w1 queue:mail", ("failure", "add", "w1", "mail"), True),
        ("state:a OR b", (), False),
        ("-name:a", (), False),
        ("args:a", (), False),
    ],
)
def test_what_every_match_must_have_is_taken_out_for_the_index(
    text: str, indexed: tuple[str, ...], everything: bool
) -> None:
    search = parse(text)
    assert (tuple(term.text for term in search.indexed), search.everything) == (indexed, everything)
