"""Every hook, option, route and metric is documented, tested and used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import docs
import pytest
from dists import ROOT

PRODUCT = ("core/flower/**/*.py", "plugins/*/src/**/*.py")
EXAMPLES = ("examples/plugins/*/src/**/*.py",)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TESTS = ("core/tests/**/*.py", "flower_plugins/tests/**/*.py", "plugins/*/tests/**/*.py", "tests/[!r]*/**/*.py")


def files(root: Path, patterns: Sequence[str]) -> list[Path]:
    return sorted(file for pattern in patterns for file in root.glob(pattern))


def text(root: Path, patterns: Sequence[str]) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in files(root, patterns))


def hook_faults(root: Path) -> list[str]:
    """Return hooks without a heading that shows their signature, without user or without test."""
    source = root / "flower_plugins" / "src" / "flower_plugins" / "hooks.py"
    lines = text(root, ["docs/plugins.md"]).splitlines()
    headings = {line.strip("# `").removeprefix("def ") for line in lines if line.startswith("#")}
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files(root, (*PRODUCT, *EXAMPLES))]
    used = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    tests = text(root, TESTS)
    found = []
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("flower_"):
            signature = f"{node.name}({', '.join(argument.arg for argument in node.args.args)})"
            if signature not in headings:
                found.append(f"docs/plugins.md: no heading {signature}")
            if node.name not in used:
                found.append(f"{node.name}: nothing of ours implements it")
            if not re.search(rf"\b{node.name}\b", tests):
                found.append(f"{node.name}: no test names it")
    return found


def route_faults(root: Path) -> list[str]:
    """Return routes without a row in the tables of docs/api.md or docs/pages.md, or without test."""
    rows = [line for line in text(root, ["docs/api.md", "docs/pages.md"]).splitlines() if line.startswith("|")]
    documented = {blank(code.split()[-1]) for row in rows for code in re.findall(r"`([^`]+)`", row) if code.strip()}
    tests = text(root, TESTS)
    found = []
    for where, pattern in routes(root):
        if pattern is None:
            found.append(f"{where}: a route whose pattern cannot be read here; write it as text")
            continue
        for path in sorted({path.rstrip("/") or "/" for path in expand(pattern)}):
            if blank(path) not in documented:
                found.append(f"{where}: {path} is in no table of docs/api.md or docs/pages.md")
            if path.partition("{")[0] not in tests or path.rpartition("}")[2] not in tests:
                found.append(f"{where}: no test names {path}")
    return found


def routes(root: Path) -> Iterator[tuple[str, str | None]]:
    """Yield (place, pattern) of every route the code declares, the paths of metric exporters included."""
    for file in files(root, PRODUCT):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for line, pattern in sorted({*scope_routes(tree, {})}):
            yield f"{file.relative_to(root)}:{line}", pattern or None


def scope_routes(scope: ast.AST, outer: Mapping[str, ast.expr]) -> Iterator[tuple[int, str]]:
    """Yield (line, pattern) of the routes below a module, class or function, "" for an unreadable pattern."""
    inside = list(within(scope))
    names = {**outer, **assigned(inside)}
    if isinstance(scope, ast.ClassDef) and "MetricExporter" in [ast.unparse(base) for base in scope.bases]:
        yield scope.lineno, literal(ast.Name("path"), names) or ""
    for node in inside:
        if isinstance(node, SCOPES):
            yield from scope_routes(node, names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Route":
            named = {keyword.arg: keyword.value for keyword in node.keywords}
            value = named.get("pattern") or (node.args[0] if node.args else None)
            if not (isinstance(value, ast.Attribute) and value.attr == "path"):
                yield node.lineno, literal(value, names) or ""


def within(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below a scope; inner scopes themselves, not what is in them."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, SCOPES):
            yield from within(node)


def assigned(nodes: Sequence[ast.AST]) -> dict[str, ast.expr]:
    """Return what names are set to."""
    assignments = [node for node in nodes if isinstance(node, ast.Assign)]
    return {target.id: node.value for node in assignments for target in node.targets if isinstance(target, ast.Name)}


def literal(node: ast.expr | None, constants: Mapping[str, ast.expr]) -> str | None:
    """Return the text an expression stands for, None when only running it could tell."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id in constants:
        return literal(constants[node.id], {})
    parts: list[ast.expr] = []
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    texts = [literal(part, constants) for part in parts]
    return "".join(part for part in texts if part is not None) if parts and None not in texts else None


def expand(pattern: str) -> list[str]:
    """Return the paths a route's pattern stands for: named groups as {name}, each alternative apart."""
    found, rest = _alternatives(pattern)
    assert not rest, f"unbalanced: {pattern}"
    return found


def _alternatives(pattern: str) -> tuple[list[str], str]:
    done: list[str] = []
    paths = [""]
    while pattern and pattern[0] != ")":
        if pattern[0] == "|":
            done, paths, pattern = [*done, *paths], [""], pattern[1:]
            continue
        pieces, pattern = _piece(pattern)
        if pattern[:1] == "?":
            pieces, pattern = ["", *pieces], pattern[1:]
        paths = [path + piece for path in paths for piece in pieces]
    return [*done, *paths], pattern


def _piece(pattern: str) -> tuple[list[str], str]:
    group = re.match(r"\((?:\?:|\?P<(\w+)>)?", pattern)
    if group:
        pieces, rest = _alternatives(pattern[group.end() :])
        return ([f"{{{group[1]}}}"] if group[1] else pieces), rest[1:]
    if pattern[0] == "[":
        end = pattern.index("]", 2) + 1
        return [pattern[:end]], pattern[end:]
    if pattern[0] == "\\":
        return [pattern[1]], pattern[2:]
    return [pattern[0]], pattern[1:]


def blank(path: str) -> str:
    """Return a path with its placeholders, {uuid} or <uuid>, unnamed."""
    return re.sub(r"\{\w+\}|<\w+>", "{}", path.rstrip("/") or "/")


def metric_faults(root: Path) -> list[str]:
    """Return metric families that docs/metrics.md does not name."""
    page = text(root, ["docs/metrics.md"])
    others = {f"flower_{folder.name}" for folder in (root / "plugins").iterdir()} | {"flower_plugins"}
    found = []
    for file in files(root, PRODUCT):
        names = metric_names(file.read_text(encoding="utf-8")) - others
        missing = [name for name in sorted(names) if not re.search(rf"\b{name}(_total)?\b", page)]
        found += [f"docs/metrics.md: nothing about {name}" for name in missing]
    return found


def metric_names(code: str) -> set[str]:
    """Return every text of a file that looks like a metric, if the file makes metric families at all."""
    if not re.search(r"\bMetricFamily\(", code):
        return set()
    texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    return {value for value in texts if isinstance(value, str) and re.fullmatch(r"flower_[a-z0-9_]+", value)}


def test_every_hook_is_documented_used_and_tested() -> None:
    found = hook_faults(ROOT)
    assert not found, "\n".join(found)


def test_every_route_is_documented_and_tested() -> None:
    found = route_faults(ROOT)
    assert not found, "\n".join(found)
    assert len(list(routes(ROOT))) > 10


def test_every_metric_is_documented() -> None:
    found = metric_faults(ROOT)
    assert not found, "\n".join(found)


def test_the_options_page_is_current() -> None:
    """`make docs` writes it anew."""
    page = docs.options_page()
    assert (ROOT / "docs" / "options.md").read_text(encoding="utf-8") == page
    for _, option in docs.declared_options():
        assert option.name in page


def test_the_page_of_the_api_is_current() -> None:
    """`make docs` writes it anew."""
    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == docs.api_page()
    declared = {route.pattern for route in docs.declared_routes()}
    written = {pattern for _, pattern in routes(ROOT)}
    assert declared <= written | {"/metrics"}


def test_the_page_for_plugin_authors_is_current() -> None:
    """`make docs` writes the tutorial's files and the table of examples anew."""
    page = docs.plugins_page()
    assert (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8") == page
    for file in ("plugin.py", "page.html", "failures.css", "test_failures_page.py"):
        (found,) = (ROOT / "examples" / "plugins" / "failures_page").rglob(file)
        assert f"\n{found.read_text(encoding='utf-8')}```" in page


def test_every_hook_has_an_example_of_its_own() -> None:
    """Outside plugins/: small enough to copy."""
    source = ROOT / "flower_plugins" / "src" / "flower_plugins" / "hooks.py"
    hooks = set(re.findall(r"(?m)^def (flower_\w+)\(", source.read_text(encoding="utf-8")))
    shown = set(re.findall(r"(?m)^def (flower_\w+)\(", text(ROOT, EXAMPLES)))
    assert shown == hooks


def write(root: Path, path: str, content: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content, encoding="utf-8")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A repository with one hook, one route and one metric, all in order."""
    write(tmp_path, "flower_plugins/src/flower_plugins/hooks.py", "def flower_a(host: Host) -> list[A]:\n    ...\n")
    code = (
        "def flower_a(host):\n    return [Route('/api/task/(?P<uuid>.+)', H, 'read', 'api', 'task')]\n"
        "F = MetricFamily('flower_events', 'help', 'counter')\n"
    )
    write(tmp_path, "plugins/api/src/flower_api/plugin.py", code)
    write(tmp_path, "plugins/api/tests/test_plugin.py", "flower_a\nfetch('/api/task/1')\n")
    write(tmp_path, "docs/plugins.md", "### `flower_a(host)`\n")
    write(tmp_path, "docs/api.md", "| `GET /api/task/{id}` | a task |\n")
    write(tmp_path, "docs/metrics.md", "| `flower_events_total` | counter |\n")
    return tmp_path


def test_a_repository_in_order_passes(house: Path) -> None:
    assert hook_faults(house) == route_faults(house) == metric_faults(house) == []


@pytest.mark.parametrize(
    ("path", "content", "complaint"),
    [
        ("docs/plugins.md", "### `flower_a()`", "no heading flower_a(host)"),
        ("docs/plugins.md", "`flower_a(host)`", "no heading"),
        ("plugins/api/src/flower_api/plugin.py", "", "nothing of ours implements it"),
        ("plugins/api/tests/test_plugin.py", "flower_ab", "no test names it"),
    ],
)
def test_a_neglected_hook_is_found(house: Path, path: str, content: str, complaint: str) -> None:
    write(house, path, content)
    (found,) = hook_faults(house)
    assert complaint in found


@pytest.mark.parametrize(
    ("path", "content", "complaint"),
    [
        ("docs/api.md", "`/api/task/{id}`", "/api/task/{uuid} is in no table"),
        ("docs/api.md", "| `/api/task` |", "is in no table"),
        ("plugins/api/tests/test_plugin.py", "/api/tasks", "no test names /api/task/{uuid}"),
        ("plugins/api/src/flower_api/plugin.py", "Route(pattern=make(), name='x')", "cannot be read"),
        ("plugins/api/src/flower_api/plugin.py", "one = '/pool/(?P<n>.+?)'\nRoute(f'{one}/grow/?')", "no test"),
        (
            "plugins/api/src/flower_api/plugin.py",
            "class P(MetricExporter):\n    path = '/numbers'",
            "no test names /numb",
        ),
    ],
)
def test_a_neglected_route_is_found(house: Path, path: str, content: str, complaint: str) -> None:
    write(house, path, content)
    assert any(complaint in found for found in route_faults(house))


def test_names_are_read_in_their_own_scope(tmp_path: Path) -> None:
    code = "def a():\n    one = '/a'\n    Route(f'{one}/x')\n\ndef b():\n    one = '/b'\n    Route(one + '/y')\n"
    write(tmp_path, "plugins/api/src/flower_api/plugin.py", code)
    assert [pattern for _, pattern in routes(tmp_path)] == ["/a/x", "/b/y"]


def test_a_neglected_metric_is_found(house: Path) -> None:
    write(house, "docs/metrics.md", "flower_events_seen")
    assert metric_faults(house) == ["docs/metrics.md: nothing about flower_events"]


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("/tasks", ["/tasks"]),
        (r"/task/(?P<uuid>[^/]+(?:x|y))/?", ["/task/{uuid}", "/task/{uuid}/"]),
        ("/(?:workers)?", ["/", "/workers"]),
        ("/|/workers", ["/", "/workers"]),
        (r"/pool/(?P<action>grow|shrink)/a\.b", ["/pool/{action}/a.b"]),
    ],
)
def test_a_pattern_is_read_as_paths(pattern: str, paths: list[str]) -> None:
    assert expand(pattern) == paths


def test_a_generated_section_is_replaced_and_the_rest_stays() -> None:
    page = "Head\n<!-- a: generated by make docs -->\nold\n<!-- a: end -->\nTail\n"
    once = docs.with_section(page, "a", "new")
    assert once == "Head\n<!-- a: generated by make docs -->\n\nnew\n\n<!-- a: end -->\nTail\n"
    assert docs.with_section(once, "a", "new") == once
    with pytest.raises(ValueError, match="no section b"):
        docs.with_section(page, "b", "new")
