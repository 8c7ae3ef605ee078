from __future__ import annotations

from pathlib import Path

import pytest
from flower_json_history import plugin
from flower_json_history.plugin import JsonFile

from flower_plugins import ConfigurationError
from flower_plugins.testing import HistoryStoreContract, PluginContract, offer_context


class TestPlugin(PluginContract):
    plugin = plugin


class TestStore(HistoryStoreContract):
    file: Path

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        type(self).file = tmp_path / "history.json"

    def make(self) -> JsonFile:
        return JsonFile(offer_context(json_history=str(self.file)))


def test_a_file_that_is_no_history_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("not JSON")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        JsonFile(offer_context(json_history=str(tmp_path / "notes.json"))).open()
