"""The reference as Markdown: docs/api.md, and the page where nothing draws pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flower_api.reference import Entry, Outcome, Reference, Row

__all__ = ["markdown"]


def markdown(reference: Reference) -> str:
    """Return an overview, every route with its parameters, answers and examples, and the shapes they name."""
    return "\n".join(_lines(reference)).strip() + "\n"


def _lines(reference: Reference) -> Iterator[str]:
    yield from ("| route | what it does |", "|---|---|")
    for section in reference.sections:
        for entry in section.entries:
            yield f"| [`{entry.method} {entry.path}`](#{_anchor(entry)}) | {_cell(entry.help)} |"
    for section in reference.sections:
        yield from ("", f"## {section.title}")
        for entry in section.entries:
            yield from _entry(entry)
    yield from ("", "## Objects")
    for shape in reference.shapes:
        yield from ("", f"### {shape.name}", "", shape.help, "")
        yield from _table("field", shape.rows)
    yield from ("", "## Errors", "", "| status | when |", "|---|---|")
    for failure in reference.failures:
        yield f"| {failure.status} | {_cell(failure.help)} |"


def _entry(entry: Entry) -> Iterator[str]:
    yield from ("", f"### {entry.title}", "", f"`{entry.method} {entry.path}`. {entry.help}", "")
    if entry.rows:
        yield from _table("parameter", entry.rows)
        yield ""
    if entry.body is not None:
        yield from (f"The body is JSON: {_typed(entry.body)}.", "")
    for outcome in entry.outcomes:
        words = _typed(outcome)
        if outcome.status != 304:
            yield f"Answers {outcome.status}, {_lower(outcome.help)}{f': {words}' if words else ''}."
    if entry.errors:
        yield f"[Errors](#errors): {', '.join(map(str, entry.errors))}."
    for text, command in entry.commands:
        yield ""
        if text:
            yield from (f"{text}:", "")
        yield f"    {command}"


def _table(what: str, rows: Sequence[Row]) -> Iterator[str]:
    yield from (f"| {what} | type | meaning |", "|---|---|---|")
    for row in rows:
        required = ", required" if row.required and what == "parameter" and "path" not in row.type else ""
        yield f"| `{row.name}` | {_cell(row.type)}{required} | {_cell(row.help)} |"


def _typed(outcome: Outcome) -> str:
    if not outcome.shape:
        return outcome.type
    return outcome.type.replace(outcome.shape, f"[{outcome.shape}](#{outcome.shape.lower()})", 1)


def _anchor(entry: Entry) -> str:
    return entry.title.lower().replace(" ", "-")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
