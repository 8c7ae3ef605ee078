"""Every public module of the plugin API lists its names, all of them, in order."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from dists import ROOT


def faults(source: Path) -> list[str]:
    """Return every module whose `__all__` is missing, incomplete, wrong or unsorted."""
    found = []
    for path in sorted(source.rglob("*.py")):
        if path.name.startswith("_") and path.name != "__init__.py":
            continue
        fault = module_fault(ast.parse(path.read_text(encoding="utf-8")), exports=path.name == "__init__.py")
        if fault:
            found.append(f"{path.relative_to(source)}: {fault}")
    return found


def module_fault(tree: ast.Module, *, exports: bool) -> str:
    listed: list[str] | None = None
    defined: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            defined.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            if "__all__" in names and node.value is not None:
                listed = ast.literal_eval(node.value)
            elif not is_type_variable(node.value):
                defined |= names
        elif exports and isinstance(node, ast.ImportFrom) and node.module != "__future__":
            defined |= {alias.asname or alias.name for alias in node.names}
    public = {name for name in defined if not name.startswith("_")}
    if listed is None:
        return "" if exports and not public else "no __all__"
    if public - set(listed):
        return f"__all__ leaves out {', '.join(sorted(public - set(listed)))}"
    if set(listed) - defined:
        return f"__all__ lists {', '.join(sorted(set(listed) - defined))}"
    if listed != sorted(set(listed), key=order):
        return "__all__ is not sorted"
    return ""


def is_type_variable(value: ast.expr | None) -> bool:
    return (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("TypeVar", "ParamSpec")
    )


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: the order ruff keeps."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name


def test_the_plugin_api_lists_its_public_names() -> None:
    found = faults(ROOT / "flower_plugins" / "src" / "flower_plugins")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("class A: ...", "no __all__"),
        ("__all__ = ['A']\nclass A: ...\ndef b(): ...", "__all__ leaves out b"),
        ("__all__ = ['A', 'B']\nclass A: ...", "__all__ lists B"),
        ("__all__ = ['B', 'A']\nclass A: ...\nclass B: ...", "__all__ is not sorted"),
        ("__all__ = ['A', 'LIMIT']\nclass A: ...\nLIMIT = 1", "__all__ is not sorted"),
    ],
)
def test_a_careless_list_is_found(tmp_path: Path, code: str, complaint: str) -> None:
    (tmp_path / "a.py").write_text(code)
    assert faults(tmp_path) == [f"a.py: {complaint}"]


def test_private_names_and_type_variables_need_no_mention(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from x import y\n__all__ = ['A']\nT = TypeVar('T')\n_b = 1\nclass A: ...")
    (tmp_path / "_c.py").write_text("class C: ...")
    assert faults(tmp_path) == []


def test_an_export_that_is_not_listed_is_found(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("from a import A, B\n__all__ = ['A']")
    assert faults(tmp_path) == ["__init__.py: __all__ leaves out B"]
