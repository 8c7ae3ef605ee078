"""What in the settings is not safe, apart from who has to log in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from urllib.parse import urlsplit

from flower.settings import COMMAND_LINE, EffectiveSettings
from flower.web.binding import Binding
from flower.web.origins import is_here
from flower.web.posture import Weakness
from flower_plugins import AuthProvider, LoginProvider

__all__ = ["weaknesses"]

_FILES = ("basic_auth_file", "keyfile")
# Docker puts secrets here, readable by every user of a container that has but one.
_MOUNTED = ("/run/secrets/", "/var/run/secrets/")
_CELERY_URLS = ("broker_url", "result_backend", "BROKER_URL", "CELERY_RESULT_BACKEND")


def weaknesses(settings: EffectiveSettings, binding: Binding, providers: Iterable[AuthProvider] = ()) -> list[Weakness]:
    """Return every weakness found. Looks at the permissions of files, and opens none."""
    return [
        *_transport(settings, binding),
        *_redirect(settings),
        *_providers(providers),
        *_on_command_line(settings),
        *_readable(settings),
        *_broker_api(settings),
        *_proxies(settings),
        *_flags(settings),
    ]


def _transport(settings: EffectiveSettings, binding: Binding) -> Iterator[Weakness]:
    if binding.loopback_only or binding.unix_socket or settings["certfile"] or settings["xheaders"]:
        return
    yield Weakness(
        "no_tls",
        "Passwords and pages cross the network unencrypted.",
        "Give --certfile and --keyfile, or put a proxy in front that encrypts, and add --xheaders.",
    )


def _redirect(settings: EffectiveSettings) -> Iterator[Weakness]:
    url = settings["oauth2_redirect_uri"] or ""
    if _in_clear(url):
        yield Weakness(
            "http_redirect_uri",
            "oauth2_redirect_uri is not https: whoever listens on the way can log in as somebody else.",
            "Serve Flower by https and register that address with the provider.",
        )


def _providers(providers: Iterable[AuthProvider]) -> Iterator[Weakness]:
    for provider in providers:
        told = provider.insecure if isinstance(provider, LoginProvider) else ()
        # The address that people come back to is judged above, for handlers of one's own as well.
        found = [sentence for sentence in told if not sentence.startswith("oauth2_redirect_uri ")]
        if found:
            yield Weakness(
                "http_login_provider",
                f"Logins cross the network unencrypted: {'; '.join(found)}.",
                "Give the provider's address by https.",
            )


def _on_command_line(settings: EffectiveSettings) -> Iterator[Weakness]:
    names = [name for name in _secrets(settings) if settings.origin(name) == COMMAND_LINE]
    names += [name for name, url in settings.celery_overrides.items() if _has_password(url)]
    if names:
        yield Weakness(
            "secret_on_command_line",
            f"Every user of this machine can read what stands on the command line: {', '.join(names)}.",
            "Set it in the environment, in a file that a variable ending in _FILE names, or in flowerconfig.py.",
        )


def _readable(settings: EffectiveSettings) -> Iterator[Weakness]:
    for path, what in _secret_files(settings).items():
        if not path.startswith(_MOUNTED) and _others_can_read(path):
            yield Weakness(
                "secret_readable_by_all",
                f"Every user of this machine can read {path}, which holds {what}.",
                f"Run: chmod o-r {path}",
            )


def _broker_api(settings: EffectiveSettings) -> Iterator[Weakness]:
    url = settings["broker_api"] if "broker_api" in settings.catalogue else ""
    if _in_clear(url or ""):
        yield Weakness(
            "http_broker_api",
            "broker_api is not https: its password crosses the network unencrypted.",
            "Give the address of the management API by https.",
        )


def _proxies(settings: EffectiveSettings) -> Iterator[Weakness]:
    if settings["xheaders"] and any(
        ip_network(each, strict=False).prefixlen == 0 for each in settings["trusted_proxies"]
    ):
        yield Weakness(
            "every_proxy_trusted",
            "trusted_proxies names every address, so that anybody can pose as anybody.",
            "Name the addresses of the proxies alone.",
        )


def _flags(settings: EffectiveSettings) -> Iterator[Weakness]:
    for name in settings.catalogue:
        if name.startswith("insecure_") and settings[name]:
            yield Weakness(name, f"{name} is set ({settings.origin(name)}).", "Leave it out.")


def _secret_files(settings: EffectiveSettings) -> Mapping[str, str]:
    """Return what holds secrets, by path."""
    found = {path: name for name, path in settings.secret_files.items()}
    for name in _FILES:
        if name in settings.catalogue and settings[name]:
            found[os.path.expanduser(settings[name])] = name
    inside = [name for name in _secrets(settings) if name in settings.file_globals]
    inside += [name for name in _CELERY_URLS if _has_password(settings.file_globals.get(name))]
    if settings.file_path and inside:
        found[settings.file_path] = ", ".join(inside)
    return found


def _secrets(settings: EffectiveSettings) -> list[str]:
    return [name for name, option in settings.catalogue.items() if option.secret and settings[name]]


def _others_can_read(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & stat.S_IROTH)
    except OSError:
        return False


def _has_password(url: object) -> bool:
    try:
        return isinstance(url, str) and bool(urlsplit(url).password)
    except ValueError:
        return True  # not a URL that can be read, so nobody can say that it holds none


def _in_clear(url: str) -> bool:
    """Tell whether what is sent to a URL crosses the network unencrypted."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme.lower() == "http" and not is_here(host)
