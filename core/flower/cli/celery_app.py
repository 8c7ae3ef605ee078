"""The Celery app to watch: as found by Celery, changed by what stands after `flower` and in flowerconfig.py."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from celery.app.defaults import _TO_NEW_KEY, SETTING_KEYS
from celery.app.utils import find_app

from flower.settings import EffectiveSettings
from flower_plugins import ConfigurationError

__all__ = ["celery_settings", "configured"]

_VARIABLES = {"broker": "CELERY_BROKER_URL", "result_backend": "CELERY_RESULT_BACKEND"}


def celery_settings(file_globals: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Celery settings among the globals of flowerconfig.py, by their new names.

    Modules and classes are left out: `from datetime import timezone` sets no time zone.
    """
    # Celery offers no public way from the old names to the new ones.
    candidates = {name: value for name, value in file_globals.items() if not isinstance(value, (ModuleType, type))}
    old = {_TO_NEW_KEY[name]: value for name, value in candidates.items() if name in _TO_NEW_KEY}
    return old | {name: value for name, value in candidates.items() if name in SETTING_KEYS}


def configured(app: Any, settings: EffectiveSettings) -> Any:
    """Return the app with the settings of flowerconfig.py and the options that came after `flower` applied.

    Raise ConfigurationError when the app named there cannot be loaded.
    """
    overrides = settings.celery_overrides
    for name, variable in _VARIABLES.items():
        if name in overrides:
            # As Celery does for its own options: this wins over every configuration, read early or late.
            os.environ[variable] = overrides[name]
    if "app" in overrides:
        app = _load(overrides["app"])
    changes = celery_settings(settings.file_globals)
    if changes:
        len(app.conf)  # makes Celery read the app's configuration, so that these changes come on top
        app.conf.update(_prefixed(changes, app.conf.prefix or "") | changes)
    return app


def _prefixed(changes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the changes under the names that `config_from_object(namespace=…)` gives, which Celery reads first."""
    names = {name: f"{prefix}{name}" for name in changes}
    return {prefixed.upper() if prefix.isupper() else prefixed: changes[name] for name, prefixed in names.items()}


def _load(name: str) -> Any:
    try:
        return find_app(name)
    except (Exception, SystemExit) as error:  # importing the app runs the user's code
        raise ConfigurationError(
            f"cannot load the Celery app '{name}': {' '.join(f'{type(error).__name__}: {error}'.split())}",
            where="command line",
            mend="Name the module, or module:attribute, as for celery -A",
        ) from error
