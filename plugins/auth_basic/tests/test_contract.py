"""The rules every plugin and every auth provider keeps."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from flower_auth_basic import plugin
from flower_auth_basic.provider import BasicAuthProvider
from flower_plugins import AuthProvider
from flower_plugins.testing import AuthProviderContract, PluginContract, offer_context


def header(credentials: str, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {base64.b64encode(credentials.encode()).decode()}"}


class TestPlugin(PluginContract):
    plugin = plugin


class TestProvider(AuthProviderContract):
    def make(self) -> AuthProvider:
        return BasicAuthProvider(offer_context(*plugin.flower_options(), basic_auth=("ann:s3cret",)))

    def good_headers(self) -> dict[str, str]:
        return header("ann:s3cret")

    def bad_headers(self) -> Iterable[dict[str, str]]:
        yield from (header(text) for text in ("ann:", ":", "ann", "", "ann:s3cre", "ann:s3crets", "Ann:s3cret", "ü:x"))
        yield header("ann:s3cret", "Bearer")
        yield {"Authorization": "Basic ann:s3cret"}
