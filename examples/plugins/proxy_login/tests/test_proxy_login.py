from __future__ import annotations

from collections.abc import Iterable

import pytest
from flower_proxy_login import plugin
from flower_proxy_login.plugin import ProxyLogin

from flower_plugins import ConfigurationError
from flower_plugins.testing import AuthProviderContract, PluginContract, offer_context

SECRET = "a-long-shared-secret"


class TestPlugin(PluginContract):
    plugin = plugin


class TestProvider(AuthProviderContract):
    def make(self) -> ProxyLogin:
        return ProxyLogin(offer_context(proxy_login_secret=SECRET))

    def good_headers(self) -> dict[str, str]:
        return {"X-Forwarded-User": "ada", "X-Proxy-Secret": SECRET}

    def bad_headers(self) -> Iterable[dict[str, str]]:
        yield {"X-Forwarded-User": "ada"}
        yield {"X-Proxy-Secret": SECRET}
        yield {"X-Forwarded-User": "ada", "X-Proxy-Secret": ""}
        yield {"X-Forwarded-User": "ada", "X-Proxy-Secret": SECRET + "x"}
        yield {"X-Forwarded-User": "ada", "X-Proxy-Secret": "s\u00e9cret"}


@pytest.mark.parametrize("secret", [None, "", "short"])
def test_a_short_secret_stops_the_start(secret: str | None) -> None:
    with pytest.raises(ConfigurationError, match="less than 16"):
        ProxyLogin(offer_context(proxy_login_secret=secret))
