"""Who may read the metrics: everybody, who may read pages, or who knows the token."""

from __future__ import annotations

import hmac

from msgspec import Struct
from tornado.httputil import HTTPServerRequest

from flower.web.failures import LoginFailures
from flower_plugins import Access, ConfigurationError, Settings

__all__ = ["MetricsDoor"]

_PROVIDER = "metrics_token"


class MetricsDoor(Struct, frozen=True):
    """`access` is what the guard demands; `token`, where there is one, is demanded by `admits`."""

    access: Access = "public"
    token: str = ""
    failures: LoginFailures | None = None

    challenge = 'Bearer realm="flower"'

    @classmethod
    def of(cls, settings: Settings, failures: LoginFailures) -> MetricsDoor:
        """Return the door that the settings ask for. Raise ConfigurationError when they contradict each other."""
        mode, token = settings["metrics_auth"], settings["metrics_token"]
        if mode == "token" and not token:
            raise ConfigurationError(
                "metrics_auth is token, and there is none",
                where=settings.origin("metrics_auth"),
                mend="Set FLOWER_METRICS_TOKEN to at least 16 random characters, or FLOWER_METRICS_TOKEN_FILE.",
            )
        if token and mode != "token":
            raise ConfigurationError(
                f"metrics_token has no effect while metrics_auth is {mode}",
                where=settings.origin("metrics_token"),
                mend="Add --metrics_auth=token, or leave metrics_token out.",
            )
        return cls("read" if mode == "same" else "public", token or "", failures)

    def admits(self, request: HTTPServerRequest) -> bool:
        """Tell whether the request carries the token; a wrong one is counted as a failed login."""
        header = request.headers.get("Authorization", "")
        if not self.token:
            return True
        scheme, _, given = header.strip().partition(" ")
        right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self.token.encode())
        if right and scheme.lower() == "bearer":
            return True
        if header and self.failures is not None:
            address, method = request.remote_ip or "", request.method or ""
            self.failures.note(_PROVIDER, address=address, method=method, target=request.path)
        return False
