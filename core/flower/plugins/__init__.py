"""Plugins: found, loaded one by one, asked through the registry, chosen by name or URL scheme."""

from flower.plugins.choose import BROKER_EXTRAS, PROVIDER_EXTRAS, by_name, by_option, by_scheme, is_offered, load_class
from flower.plugins.faults import FAULTS, describe
from flower.plugins.registry import Registry

__all__ = [
    "BROKER_EXTRAS",
    "FAULTS",
    "PROVIDER_EXTRAS",
    "Registry",
    "by_name",
    "by_option",
    "by_scheme",
    "describe",
    "is_offered",
    "load_class",
]
