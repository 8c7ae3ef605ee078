from __future__ import annotations

import importlib

import pytest

from flower_plugins import HistoryStore, Option
from flower_store_sqlite import plugin


def option(name: str) -> Option:
    return {each.name: each for each in plugin.flower_options()}[name]


def test_the_options_keep_their_old_names_and_defaults() -> None:
    found = {each.name: (each.type, each.default) for each in plugin.flower_options()}
    assert found == {"persistent": (bool, False), "db": (str, "flower"), "state_save_interval": (int, 0)}


@pytest.mark.parametrize(("name", "value"), [("db", " "), ("state_save_interval", -1)])
def test_a_senseless_value_is_refused(name: str, value: object) -> None:
    check = option(name).check
    assert check is not None
    with pytest.raises(ValueError, match=r"needed|0 or more"):
        check(value)


def test_the_offer_is_chosen_by_persistent_and_loads() -> None:
    (offer,) = plugin.flower_history_stores()
    module, _, name = offer.load.partition(":")
    assert offer.when == "persistent"
    assert issubclass(getattr(importlib.import_module(module), name), HistoryStore)
