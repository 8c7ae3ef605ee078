from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flower_folder_queues import plugin
from flower_folder_queues.plugin import FolderQueues
from kombu import Connection

from flower_plugins import Broker
from flower_plugins.testing import BrokerInspectorContract, PluginContract, offer_context


class TestPlugin(PluginContract):
    plugin = plugin


def inspector(folder: Path) -> FolderQueues:
    context = offer_context()
    broker = Broker("filesystem://", "filesystem", "filesystem://", {"data_folder_in": str(folder)})
    return FolderQueues(type(context)(context.settings, broker, context.log))


class TestInspector(BrokerInspectorContract):
    folder: Path

    @pytest.fixture(autouse=True)
    def _messages(self, tmp_path: Path) -> None:
        names = ("data_folder_in", "data_folder_out", "control_folder")
        folders: dict[str, Any] = dict.fromkeys(names, str(tmp_path))
        with Connection("filesystem://", transport_options=folders) as connection:
            for number in range(3):
                connection.SimpleQueue("celery").put({"n": number})
            connection.SimpleQueue("other.celery").put({})
        type(self).folder = tmp_path

    def make(self) -> FolderQueues:
        return inspector(self.folder)

    def make_unreachable(self) -> FolderQueues:
        return inspector(self.folder / "nowhere")

    def filled(self) -> tuple[str, int]:
        return "celery", 3
