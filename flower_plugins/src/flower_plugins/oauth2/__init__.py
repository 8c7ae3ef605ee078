"""The OAuth 2 engine for login providers; needs the extra `flower-plugins[oauth]`."""

from flower_plugins.oauth2.grants import Grant
from flower_plugins.oauth2.provider import Endpoints, OAuthProvider
from flower_plugins.oauth2.records import Record, lower_ascii
from flower_plugins.oauth2.urls import base_url, goes_in_clear, url_option
from flower_plugins.oauth2.wire import Reply, Wire

__all__ = [
    "Endpoints",
    "Grant",
    "OAuthProvider",
    "Record",
    "Reply",
    "Wire",
    "base_url",
    "goes_in_clear",
    "lower_ascii",
    "url_option",
]
