"""Addresses of providers: https, unless somebody wrote http."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flower_plugins.errors import ConfigurationError
from flower_plugins.options import Settings

__all__ = ["base_url", "goes_in_clear", "url_option"]


def base_url(text: str) -> str:
    """Return the address `text` stands for, without a slash at its end: a host means https.

    Raise ValueError for what is no address, or one with a user, query or fragment.
    """
    written = text.strip()
    url = written if "://" in written else f"https://{written}"
    if not _usable(url):
        raise ValueError("not the address of a server, such as gitlab.example.com or https://host:8443/path")
    return url.rstrip("/")


def url_option(settings: Settings, name: str) -> str:
    """Return the address an option holds; raise ConfigurationError when it is empty or no address."""
    try:
        return base_url(str(settings[name] or ""))
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}", where=settings.origin(name)) from None


def goes_in_clear(url: str) -> bool:
    """Tell whether somebody on the way could read what is sent there: plain http to another machine."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        served = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not any(letter in " \\<>\"'" for letter in url)
    return served and plain and parts.username is None and not parts.query and not parts.fragment
