"""Makes the door for people out of the settings, or says why it cannot be made."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flower.plugins import PROVIDER_EXTRAS
from flower.settings import EffectiveSettings
from flower_plugins import AuthProvider, ConfigurationError, LoginProvider, Route

if TYPE_CHECKING:
    from flower.web.door import Door
    from flower.web.failures import LoginFailures

__all__ = ["door_routes", "login_routes", "make_door", "session_folder"]

log = logging.getLogger("flower")

_OAUTH = ("oauth2_key", "oauth2_secret", "oauth2_redirect_uri")
_GENERATE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
_FOLDER = "sessions"
_WORLD_WRITABLE = stat.S_IWOTH


def make_door(
    settings: EffectiveSettings, providers: Sequence[AuthProvider], prefix: str, failures: LoginFailures | None = None
) -> Door | None:
    """Return the door of the login provider among `providers`, None when there is none.

    Raise ConfigurationError for a login that is configured in part, and for secrets that are none.
    """
    if providers:
        _refuse_weak_secrets(settings)
    chosen = [provider for provider in providers if isinstance(provider, LoginProvider)]
    if not chosen:
        _refuse_leftovers(settings)
        return None
    if len(chosen) > 1:
        labels = " and ".join(provider.label or type(provider).__name__ for provider in chosen)
        raise ConfigurationError(f"{labels} are both asked to log people in", mend="Configure one of them")
    provider = chosen[0]
    _refuse_halves(settings, provider)
    return _door(settings, provider, prefix, failures)


def _door(settings: EffectiveSettings, provider: LoginProvider, prefix: str, failures: LoginFailures | None) -> Door:
    # Only here: a Flower where nobody logs in needs none of it.
    from flower.web.cookies import Cookies
    from flower.web.door import Door
    from flower.web.keys import Keys
    from flower.web.pattern import AuthPattern
    from flower.web.revocations import Revocations
    from flower.web.session import Sessions
    from flower.web.ticket import Tickets

    folder = session_folder(settings)
    keys = Keys(_secrets(settings, folder))
    cookies, revocations = Cookies(prefix), Revocations(folder)
    name = settings["auth_provider"] or "google"
    sessions = Sessions(
        keys,
        cookies,
        revocations,
        idle=settings["session_idle"],
        lifetime=settings["session_lifetime"],
        provider=name,
    )
    tickets = Tickets(keys, cookies, provider=name, redirect_uri=settings["oauth2_redirect_uri"] or "")
    pattern = AuthPattern(settings["auth"], f"auth, {settings.origin('auth')}")
    return Door(provider, pattern, sessions, tickets, prefix, keys, failures)


def door_routes(settings: EffectiveSettings, door: Door | None) -> Sequence[Route]:
    """Return the pages of logging in and out."""
    if door is None:
        return login_routes(door)
    from flower.web.custom import HandlerApplication, HandlerProvider, custom_login  # only where there is a login

    if not isinstance(door.provider, HandlerProvider):
        return login_routes(door)
    application = HandlerApplication(settings, door.keys, door.prefix)
    return login_routes(door, custom_login(door, door.provider, application))


def login_routes(door: Door | None, login: Route | None = None) -> list[Route]:
    """Return the routes of a server with, or without, a door; `login` is a login page of one's own."""
    pages, options = "flower.web.login_pages", {"door": door}
    logout = Route(
        "/logout", f"{pages}:LogoutHandler", "public", "page", "logout", help="End the session.", options=options
    )
    if door is None:
        return [logout]
    handler = f"{pages}:LoginHandler"
    return [
        login or Route("/login", handler, "public", "page", "login", help="Log in.", options=options),
        Route(
            "/logout/everybody",
            f"{pages}:LogoutEverybodyHandler",
            "admin",
            "page",
            "logout-everybody",
            help="End all sessions.",
            options=options,
        ),
        logout,
    ]


def session_folder(settings: EffectiveSettings) -> Path | None:
    """Return where ended sessions and the secret are kept, None for nowhere. Raise ConfigurationError.

    It is a folder of its own, for this user alone, since `data_dir` may be shared with others.
    """
    if settings["data_dir"]:
        folder, option = Path(settings["data_dir"]) / _FOLDER, "data_dir"
    elif "persistent" in settings.catalogue and settings["persistent"]:
        folder, option = Path(f"{Path(str(settings['db'])).expanduser()}.sessions").absolute(), "db"
    else:
        return None
    _refuse_planted(folder, f"{option}, {settings.origin(option)}")
    return folder


def _refuse_planted(folder: Path, where: str) -> None:
    """Raise ConfigurationError when others can put a secret of theirs where ours is kept, or have done so."""
    base = folder.parent
    try:
        mode = base.stat().st_mode if base.exists() else 0
        if not mode & _WORLD_WRITABLE:
            return
        if not mode & stat.S_ISVTX and folder.name == _FOLDER:
            raise ConfigurationError(
                f"{base} can be written by everybody on this machine, who could then log in as anybody",
                where=where,
                mend=f"Run: chmod o-w {base}",
            )
        folder.mkdir(mode=0o700, exist_ok=True)  # now, so that nobody makes it after this look
        found = folder.lstat()
    except OSError:
        return  # making the folder says what is wrong
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{folder} was made by somebody else, in a folder that everybody on this machine may write",
            where=where,
            mend="Name a folder of this user's own",
        )


def _secrets(settings: EffectiveSettings, folder: Path | None) -> Sequence[str]:
    if settings["cookie_secret"]:
        given: Sequence[str] = settings["cookie_secret"]
        return given
    if folder is not None:
        from flower.web.keys import kept_secret

        return [kept_secret(folder)]
    log.info("Sessions end when Flower does: neither --cookie_secret nor --data_dir is given")
    return [secrets.token_urlsafe(48)]


def _refuse_weak_secrets(settings: EffectiveSettings) -> None:
    from flower.web.keys import LEAST_BYTES

    for secret in settings["cookie_secret"]:
        if len(secret.encode()) < LEAST_BYTES:
            raise ConfigurationError(
                f"cookie_secret is shorter than {LEAST_BYTES} bytes, so that sessions could be forged",
                where=settings.origin("cookie_secret"),
                mend=_GENERATE,
            )


def _refuse_leftovers(settings: EffectiveSettings) -> None:
    """Refuse options that ask for a login nobody provides."""
    for name in ("auth", *_OAUTH):
        if settings[name]:
            raise ConfigurationError(
                f"{name} is set, and no login uses it",
                where=settings.origin(name),
                mend="Set auth, auth_provider, oauth2_key, oauth2_secret and oauth2_redirect_uri, or leave it out",
            )


def _refuse_halves(settings: EffectiveSettings, provider: LoginProvider) -> None:
    if not settings["auth"].strip():
        raise ConfigurationError(
            "auth_provider is set without auth, which says who may log in",
            where=settings.origin("auth_provider"),
            mend="Give --auth='.*@example.com', or the addresses themselves",
        )
    name = settings["auth_provider"] or "google"
    ours = any(name.strip().replace(":", ".").lower() == known.lower() for known in PROVIDER_EXTRAS)
    needed = _OAUTH if ours or any(settings[option] for option in _OAUTH) else ()
    for option in needed:
        if not str(settings[option] or "").strip():
            raise ConfigurationError(
                f"{option} is missing, and login through {provider.label or name} cannot work without it",
                where=f"auth_provider, {settings.origin('auth_provider')}" if settings["auth_provider"] else "auth",
                mend=f"Give --{option}, or FLOWER_{option.upper()} in the environment",
            )
    if settings["oauth2_redirect_uri"]:
        _check_redirect(settings)


def _check_redirect(settings: EffectiveSettings) -> None:
    uri = str(settings["oauth2_redirect_uri"])
    try:
        parts = urlsplit(uri)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.fragment
    except ValueError:
        fits = False
    if not fits:
        raise ConfigurationError(
            f"oauth2_redirect_uri: {uri} is no address of a page",
            where=settings.origin("oauth2_redirect_uri"),
            mend="Give the address of Flower's login page, like https://flower.example.com/login",
        )
    if not parts.path.rstrip("/").endswith("/login"):
        log.warning("oauth2_redirect_uri does not end in /login, where Flower's login page is: %s", uri)
