"""Names that mean something though core declares no such option."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final, NamedTuple

from flower_plugins import ConfigurationError

__all__ = [
    "CELERY",
    "CELERY_APPLIED",
    "FIRST_PARTY",
    "PROVIDER_ENVIRONMENT",
    "RESERVED",
    "SECURITY",
    "Absent",
    "closest",
    "resembling",
]


class Absent(NamedTuple):
    """An option whose declaration comes with a plugin: where to get it, and whether it is a switch."""

    dist: str
    install: str
    switch: bool = False

    def refusal(self, name: str, where: str) -> ConfigurationError:
        """Return the error for a setting that must not be ignored."""
        mend = f"Install it with: {self.install}; or see why it is not active: celery flower --plugins"
        return ConfigurationError(f"no active plugin handles {name}", where=where, mend=mend)

    def warning(self, where: str) -> str:
        """Return the warning for a setting that is ignored."""
        return f"{where} is ignored: it belongs to {self.dist}, which is not active; {self.install}"


_BASIC = Absent("flower-auth-basic", "pip install flower-auth-basic")

RESERVED: Final = {"basic_auth": _BASIC, "basic_auth_file": _BASIC}
"""Security options that a plugin has to claim: set without that plugin, they stop the start."""

_DASHBOARD = "flower-dashboard", "pip install flower-dashboard"
_SQLITE = "flower-store-sqlite", "pip install flower-store-sqlite"

FIRST_PARTY: Final = {
    "auto_refresh": Absent(*_DASHBOARD, switch=True),
    "broker_api": Absent("flower-broker-rabbitmq", "pip install 'flower[rabbitmq]'"),
    "db": Absent(*_SQLITE),
    "environment": Absent(*_DASHBOARD),
    "natural_time": Absent(*_DASHBOARD, switch=True),
    "persistent": Absent(*_SQLITE, switch=True),
    "state_save_interval": Absent(*_SQLITE),
    "tasks_columns": Absent(*_DASHBOARD),
}
"""Options of Flower's own plugins, which are ignored with a warning where the plugin is missing."""

CELERY_APPLIED: Final = {
    "A": "app",
    "app": "app",
    "b": "broker",
    "broker": "broker",
    "result_backend": "result_backend",
}
"""Celery's options that are honoured even after the word `flower`, by every spelling."""

CELERY: Final = {
    "loader": True,
    "config": True,
    "workdir": True,
    "C": False,
    "no_color": False,
    "q": False,
    "quiet": False,
    "skip_checks": False,
    "l": True,
    "loglevel": True,
    "f": True,
    "logfile": True,
    "pidfile": True,
    "uid": True,
    "gid": True,
    "umask": True,
    "executable": True,
    "E": False,
    "task_events": False,
    "events": False,
    "c": True,
    "concurrency": True,
    "P": True,
    "pool": True,
    "n": True,
    "hostname": True,
    "Q": True,
    "queues": True,
}
"""Celery's further options, which have no effect after the word `flower`; true for those with a value."""

PROVIDER_ENVIRONMENT: Final = frozenset(
    {
        "FLOWER_GITHUB_OAUTH_DOMAIN",
        "FLOWER_GITLAB_AUTH_ALLOWED_GROUPS",
        "FLOWER_GITLAB_MIN_ACCESS_LEVEL",
        "FLOWER_GITLAB_OAUTH_DOMAIN",
        "FLOWER_OAUTH2_OKTA_BASE_URL",
    }
)
"""Variables that only logins through an identity provider read."""

SECURITY: Final = frozenset(
    {
        "allowed_hosts",
        "auth",
        "auth_provider",
        "basic_auth",
        "basic_auth_file",
        "ca_certs",
        "certfile",
        "cookie_secret",
        "keyfile",
        "metrics_auth",
        "metrics_token",
        "oauth2_key",
        "oauth2_redirect_uri",
        "oauth2_secret",
        "read_only",
        "trusted_proxies",
        "unauthenticated_api",
    }
)
"""Names whose misspelling may leave a door open."""

_TELLING = 9  # from this length on, a security option's name inside another name is no coincidence


def closest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name that `name` most probably stands for."""
    matches = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=cutoff)
    return matches[0] if matches else None


def resembling(name: str, security: Iterable[str], *, cutoff: float = 0.8) -> str | None:
    """Return the security option that `name` looks like a misspelling or an extension of."""
    security = list(security)
    extended = [known for known in security if len(known) >= _TELLING and known in name.lower()]
    matches = extended or difflib.get_close_matches(name.lower(), security, n=1, cutoff=cutoff)
    return matches[0] if matches else None
