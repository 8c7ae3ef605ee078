from __future__ import annotations

from pathlib import Path

from flower_dollar_templates import plugin
from flower_dollar_templates.plugin import DollarTemplates

from flower_plugins.testing import FakeHost, PluginContract, offer_context


class TestPlugin(PluginContract):
    plugin = plugin


def test_values_are_escaped_and_the_first_folder_wins(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        (folder / "page.html").write_text(f"<p>{folder.name} $word $$5 $other</p>")
    renderer = DollarTemplates(offer_context())
    renderer.open(FakeHost(), folders)
    assert renderer.render("page.html", {"word": "<x-evil>"}) == "<p>a &lt;x-evil&gt; $5 $other</p>"


def test_without_a_template_the_context_is_told() -> None:
    renderer = DollarTemplates(offer_context())
    renderer.open(FakeHost(), [])
    assert renderer.render("error.html", {"message": "<no>"}) == "<p>message: &lt;no&gt;</p>"
