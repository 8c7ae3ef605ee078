from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest

from flower.plugins import Registry

Write = Callable[[str, str], EntryPoint]
Load = Callable[..., Registry]


def core_hooks(**functions: Callable[..., object]) -> SimpleNamespace:
    from flower_plugins import Option, hookimpl

    functions.setdefault("flower_options", lambda: [Option("port", int, 5555)])
    return SimpleNamespace(**{name: hookimpl(function) for name, function in functions.items()})


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module to disk and returns the entry point that an installed dist would have for it."""
    monkeypatch.syspath_prepend(tmp_path)
    written: list[str] = []

    def write_module(name: str, source: str) -> EntryPoint:
        written.append(f"trial_{name}")
        (tmp_path / f"trial_{name}.py").write_text(_HEADER + dedent(source))
        return EntryPoint(name, f"trial_{name}", "flower_plugins")

    yield write_module
    for module in written:
        sys.modules.pop(module, None)


_HEADER = "from flower_plugins import *\nfrom flower_plugins.web import Handler\n\n"


@pytest.fixture
def load() -> Load:
    def load_registry(
        *entry_points: EntryPoint, core: object = None, config: Mapping[str, Any] | None = None, **options: Any
    ) -> Registry:
        return Registry.load(
            core=core or core_hooks(),
            config_globals=config or {},
            config_path="flowerconfig.py",
            entry_points=entry_points,
            **options,
        )

    return load_registry


@pytest.fixture
def make_core() -> Callable[..., SimpleNamespace]:
    return core_hooks


@pytest.fixture
def good(write: Write) -> EntryPoint:
    """A plugin that does everything right, to stand beside those that do not."""
    return write(
        "good",
        """
        class Page(Handler):
            def get(self): self.finish("good")

        @hookimpl
        def flower_options():
            return [Option("good_option", int, 3)]

        @hookimpl
        def flower_routes(host):
            return [Route("/good", Page, access="read", surface="page", name="good")]
        """,
    )
