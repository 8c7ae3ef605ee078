"""Help and the table of options."""

from __future__ import annotations

import pytest

from flower.cli.help import help_text, options_table
from flower.settings import CORE, Catalogue
from flower_plugins import Option

OPTIONS = Catalogue(
    [
        ("auth_basic", Option("basic_auth", default=(), multiple=True, secret=True, claims=True, help="Let in.")),
        ("other", Option("color", default="a|b", env=("COLOUR",), help="Paint.")),
    ]
).owned()


@pytest.mark.parametrize("width", [50, 64, 79, 80, 110, 200])
def test_every_option_is_listed_within_the_width(width: int) -> None:
    lines = help_text(OPTIONS, width=width).splitlines()
    assert max(map(len, lines)) <= min(width, 110)
    for _, option in OPTIONS:
        flag = option.name if option.type is object else f"--{option.name}"
        assert any(line.startswith(f"  {flag}") for line in lines)


def test_options_are_grouped_by_plugin() -> None:
    lines = help_text(OPTIONS, width=100).splitlines()
    groups = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert groups == ["core:", "auth_basic:", "other:"]
    assert lines.index("other:") < next(index for index, line in enumerate(lines) if "--color" in line)


@pytest.mark.parametrize(
    "line",
    [
        "  --port=N                      Listen on this port; 0 picks a free one. [default: 5555, FLOWER_PORT]",
        "  --color=TEXT                  Paint. [default: a|b, FLOWER_COLOR, COLOUR]",
        "  --basic_auth=TEXT,…           Let in. [FLOWER_BASIC_AUTH, FLOWER_BASIC_AUTH_FILE]",
        "  --help                        Print this and exit.",
        "  --plugins[=json]              Print the plugins found, as text or JSON, and exit.",
        "  --read_only[=BOOL]            Refuse every operation on workers and tasks. [default: false,",
        "  format_task                   Function that changes what is kept and shown of a task. Only in",
    ],
)
def test_an_entry_tells_value_default_and_variable(line: str) -> None:
    assert line in help_text(OPTIONS, width=110).splitlines()


@pytest.mark.parametrize(("alone", "usage"), [(True, "Usage: flower ["), (False, "Usage: celery [celery options] fl")])
def test_usage_names_the_program_that_was_called(alone: bool, usage: str) -> None:
    assert help_text(OPTIONS, alone=alone).startswith(usage)


def test_a_variable_is_listed_with_one_option() -> None:
    """`basic_auth_file` is an option of its own, and FLOWER_BASIC_AUTH_FILE is it."""
    both = [*OPTIONS, ("auth_basic", Option("basic_auth_file", help="Users."))]
    assert help_text(both, width=110).count("FLOWER_BASIC_AUTH_FILE") == 1
    assert "Let in. [FLOWER_BASIC_AUTH]" in help_text(both, width=110)


def test_help_says_what_is_not_there_yet() -> None:
    rocket = Option("rocket", help="Fly.", unavailable="Flying is not part of this version")
    assert "is not part of this version" in " ".join(help_text([*OPTIONS, ("other", rocket)], width=80).split())


def test_the_table_has_a_row_for_each_option() -> None:
    lines = options_table(OPTIONS).splitlines()
    assert len(lines) == len(OPTIONS) + 2 == len(CORE) + 4
    assert "| `color` | `FLOWER_COLOR`, `COLOUR` | text | `a\\|b` | other | Paint. |" in lines
    assert (
        "| `basic_auth` | `FLOWER_BASIC_AUTH`, `FLOWER_BASIC_AUTH_FILE` | text, several | - | auth_basic | Let in. |"
        in lines
    )
    assert all(line.replace("\\|", "").count("|") == 7 for line in lines)
