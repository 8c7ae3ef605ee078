"""Settings: one declaration per option, read from the command line, flowerconfig.py and the environment."""

from flower.settings.catalogue import Catalogue, Refusal
from flower.settings.effective import EffectiveSettings
from flower.settings.load import Early, load, peek
from flower.settings.options import BARE, COMMANDS, CORE
from flower.settings.words import COMMAND_LINE

__all__ = [
    "BARE",
    "COMMANDS",
    "COMMAND_LINE",
    "CORE",
    "Catalogue",
    "Early",
    "EffectiveSettings",
    "Refusal",
    "load",
    "peek",
]
