"""The layer table of docs/architecture.md, held against every import of the product."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dists import ROOT

SHIM_LINES = 40
API = "flower_plugins"
TORNADO_HOMES = ("flower_plugins.web", "flower_plugins.oauth2", "flower_plugins.testing")
OAUTHLIB_HOME = "flower_plugins.oauth2"


@dataclass
class Layers:
    """The table, read: modules by layer, and for each module the modules it may import."""

    allowed: dict[str, set[str]] = field(default_factory=dict)
    shims: set[str] = field(default_factory=set)

    def module(self, name: str) -> str | None:
        """Return the module of the table that `name` belongs to."""
        found = [module for module in self.allowed if name == module or name.startswith(module + ".")]
        return max(found, key=len, default=None)


def read_table(text: str) -> Layers:
    section = text.split("## Layers", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    layers = Layers()
    numbered: dict[int, list[str]] = {}
    for label, modules, _ in rows[2:]:
        if label.isdigit():
            numbered[int(label)] = re.findall(r"`([\w.]+)`", modules)
    for label, modules, may in rows[2:]:
        names = re.findall(r"`(flower[\w.]*)`", modules)
        if label == "shims":
            layers.shims.update(names)
        if label != "plugins":
            for name in names:
                layers.allowed[name] = {name} | permitted(name, names, may, numbered)
    return layers


def permitted(name: str, row: Sequence[str], may: str, numbered: Mapping[int, Sequence[str]]) -> set[str]:
    """Return what one cell of the third column grants to a module of that row."""
    everything = {module for modules in numbered.values() for module in modules}
    if may.startswith(("everything", "anything")):
        return everything | set(row)
    found: set[str] = set()
    bounds = re.match(r"(\d+)(?:\u2013(\d+))?", may)
    if bounds:
        for layer in range(int(bounds[1]), int(bounds[2] or bounds[1]) + 1):
            found.update(numbered.get(layer, ()))
    for left, right in re.findall(r"`([\w.]+)` also `([\w.]+)`", may):
        if left == name:
            found.add(right)
    return found


def module_name(path: Path, base: Path) -> str:
    parts = list(path.relative_to(base).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, module: str) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of every import in a file, wherever it stands, `from a import b` as a.b."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                base = package.split(".")[: len(package.split(".")) - node.level + 1]
                origin = ".".join([*base, origin]).strip(".")
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _is_import_call(node.func) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def _is_import_call(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    return name in ("import_module", "__import__")


def faults(root: Path) -> list[str]:
    """Return every import that the table forbids."""
    layers = read_table((root / "docs" / "architecture.md").read_text(encoding="utf-8"))
    found: list[str] = []
    for path in sorted((root / "core").glob("flower/**/*.py")):
        found += core_faults(path, root, layers)
    for path in sorted((root / "flower_plugins" / "src").glob("**/*.py")):
        module = module_name(path, root / "flower_plugins" / "src")
        for line, name in imports(path, module):
            where = f"{path.relative_to(root)}:{line}"
            if first(name).startswith("flower") and first(name) != API:
                found.append(f"{where}: the plugin API imports {name}")
            if first(name) == "tornado" and not module.startswith(TORNADO_HOMES):
                found.append(f"{where}: {module} imports {name}")
            if first(name) == "oauthlib" and not module.startswith(OAUTHLIB_HOME):
                found.append(f"{where}: {module} imports {name}")
    for path in sorted((root / "plugins").glob("*/src/**/*.py")):
        source = root / "plugins" / path.relative_to(root / "plugins").parts[0] / "src"
        own = first(module_name(path, source))
        for line, name in imports(path, module_name(path, source)):
            if re.match(r"flower(_|$)", first(name)) and first(name) not in (API, own):
                found.append(f"{path.relative_to(root)}:{line}: a plugin imports {name}")
            if first(name) == "oauthlib":
                found.append(f"{path.relative_to(root)}:{line}: a plugin imports {name}, not {OAUTHLIB_HOME}")
    return found


def core_faults(path: Path, root: Path, layers: Layers) -> list[str]:
    module = module_name(path, root / "core")
    home = layers.module(module)
    if home is None and module != "flower":
        return [f"{path.relative_to(root)}: {module} is not in the layer table"]
    found = []
    for line, name in imports(path, module):
        where = f"{path.relative_to(root)}:{line}"
        target = layers.module(name)
        if first(name).startswith("flower_") and first(name) != API:
            found.append(f"{where}: core imports the plugin {name}")
        elif target is None:
            continue
        elif target in layers.shims and home not in layers.shims:
            found.append(f"{where}: {module} imports the shim {name}")
        elif home is None or target not in layers.allowed[home]:
            found.append(f"{where}: {module} imports {name}")
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if home in layers.shims and lines > SHIM_LINES:
        found.append(f"{path.relative_to(root)}: a shim of {lines} lines, at most {SHIM_LINES}")
    return found


def first(name: str) -> str:
    return name.partition(".")[0]


def test_every_import_follows_the_layer_table() -> None:
    found = faults(ROOT)
    assert not found, "\n".join(found)


def test_the_table_names_every_layer_once() -> None:
    layers = read_table((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert {"flower_plugins", "flower.settings", "flower.events", "flower.state", "flower.app"} <= set(layers.allowed)
    assert layers.shims
    assert "flower.events" in layers.allowed["flower.state"]
    assert "flower.state" not in layers.allowed["flower.events"]


TABLE = """
## Layers

| layer | modules | may import |
|---|---|---|
| 0 | `flower_plugins` | |
| 1 | `flower.settings` | 0 |
| 2 | `flower.events`, `flower.state` | 0\u20131, `flower.state` also `flower.events` |
| 3 | `flower.command` | everything, lazily |
| shims | `flower.views` | anything; nobody imports them |
| plugins | `flower_<name>` | `flower_plugins` and its own third parties |

## Next
"""


def plant(root: Path, path: str, code: str) -> None:
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "architecture.md").write_text(TABLE, encoding="utf-8")
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(code, encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "code", "complaint"),
    [
        ("core/flower/settings/a.py", "import flower.state", "flower.settings.a imports flower.state"),
        ("core/flower/settings/a.py", "from flower import events", "imports flower.events"),
        ("core/flower/settings/a.py", "def f():\n    from ..state import x", "imports flower.state.x"),
        ("core/flower/events/a.py", "if TYPE_CHECKING:\n    import flower.state.b", "imports flower.state.b"),
        ("core/flower/events/a.py", "import flower_api", "core imports the plugin flower_api"),
        ("core/flower/events/a.py", "importlib.import_module('flower.state')", "imports flower.state"),
        ("core/flower/state/a.py", "import flower.views.auth", "imports the shim flower.views.auth"),
        ("core/flower/strange.py", "", "flower.strange is not in the layer table"),
        ("core/flower/__init__.py", "import flower.settings", "flower imports flower.settings"),
        ("core/flower/views/a.py", "x = 1\n" * 41, "a shim of 41 lines"),
        ("flower_plugins/src/flower_plugins/a.py", "import flower", "the plugin API imports flower"),
        ("flower_plugins/src/flower_plugins/a.py", "from tornado import web", "imports tornado.web"),
        ("flower_plugins/src/flower_plugins/a.py", "def f():\n    import oauthlib", "imports oauthlib"),
        ("plugins/api/src/flower_api/a.py", "import oauthlib.oauth2", "imports oauthlib"),
        ("plugins/api/src/flower_api/a.py", "from flower import app", "a plugin imports flower.app"),
        ("plugins/api/src/flower_api/a.py", "import flower_dashboard", "a plugin imports flower_dashboard"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, path: str, code: str, complaint: str) -> None:
    plant(tmp_path, path, code)
    (found,) = faults(tmp_path)
    assert complaint in found


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (
            "core/flower/state/a.py",
            "from flower.events.event import Event\nimport flower.settings\nimport flower_plugins",
        ),
        ("core/flower/command.py", "def f():\n    from flower.state import x"),
        ("core/flower/views/__init__.py", "from flower.state import x"),
        ("core/flower/settings/a.py", "from flower import __version__"),
        ("flower_plugins/src/flower_plugins/web.py", "import tornado.web"),
        ("flower_plugins/src/flower_plugins/oauth2/a.py", "import tornado.web\nimport oauthlib.oauth2"),
        ("plugins/api/src/flower_api/a.py", "from flower_plugins import hookimpl\nfrom flower_api.b import c"),
    ],
)
def test_a_permitted_import_passes(tmp_path: Path, path: str, code: str) -> None:
    plant(tmp_path, path, code)
    assert faults(tmp_path) == []
