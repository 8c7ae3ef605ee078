"""Login handlers of one's own: a Tornado handler at `/login` that sets the signed cookie `user`, as in Flower 2."""

from __future__ import annotations

import importlib
import os
import re
import sys
from typing import Any

from tornado.web import Application, RequestHandler

from flower.plugins import FAULTS, describe
from flower.settings import EffectiveSettings
from flower.web.destination import destination
from flower.web.door import Door
from flower.web.keys import Keys
from flower.web.login_pages import add_cookies, record, record_refused
from flower_plugins import (
    ConfigurationError,
    Identity,
    LoginProvider,
    LoginRefused,
    LoginTicket,
    OfferContext,
    ProviderFailed,
    Route,
)
from flower_plugins.web import Handler

__all__ = ["HandlerApplication", "HandlerProvider", "custom_login", "is_path", "load_handler"]

_USER = "user"
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*[.:][A-Za-z_]\w*", re.ASCII)


def is_path(text: str) -> bool:
    """Tell whether a text can be the path of a class: `my.module.Handler` or `my.module:Handler`."""
    return _PATH.fullmatch(text.strip()) is not None


def load_handler(path: str, where: str) -> type[RequestHandler]:
    """Import a login handler; a module in the working directory is found too. Raise ConfigurationError."""
    module, _, name = path.strip().replace(":", ".").rpartition(".")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        handler = getattr(importlib.import_module(module), name)
    except FAULTS as error:  # the boundary to foreign code: an import runs it
        raise ConfigurationError(
            f"the login handler {path} cannot be loaded: {describe(error)}",
            where=where,
            mend="Give google, github, gitlab, okta, or the path of a Tornado handler",
        ) from error
    if not (isinstance(handler, type) and issubclass(handler, RequestHandler)) or issubclass(Handler, handler):
        raise ConfigurationError(
            f"{path} is not a Tornado handler", where=where, mend="Subclass flower.views.BaseHandler"
        )
    return handler


class HandlerProvider(LoginProvider):
    """Stands for a handler that does the whole login; core mounts it and keeps the session."""

    name = "custom"

    def __init__(self, context: OfferContext, handler: type[RequestHandler]) -> None:
        super().__init__(context)
        self.handler = handler

    async def authorize_url(self, ticket: LoginTicket) -> str:
        """Raise: the handler sends people away itself."""
        raise ProviderFailed("This login has a page of its own")

    async def finish(self, ticket: LoginTicket, answer: object) -> tuple[Identity, ...]:
        """Raise: the handler takes people back itself."""
        raise ProviderFailed("This login has a page of its own")


class _Options:
    """The settings as attributes, as handlers written for Flower 2 read them."""

    def __init__(self, settings: EffectiveSettings) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        try:
            return self._settings[name]
        except KeyError:
            raise AttributeError(name) from None


class HandlerApplication(Application):
    """What `self.application` and `self.settings` are in such a handler."""

    def __init__(self, settings: EffectiveSettings, keys: Keys, prefix: str) -> None:
        oauth = {name: settings[f"oauth2_{name}"] for name in ("key", "secret", "redirect_uri")}
        super().__init__(
            [],
            cookie_secret=keys.versions,
            key_version=keys.version,
            login_url=f"{prefix}/login",
            log_function=_no_log,
            google_oauth=oauth,
            oauth=oauth,
        )
        self.options = _Options(settings)


class _Front(RequestHandler):
    """Stands before the handler: what it says with the cookie `user` becomes, or ends, a session of ours.

    Its own names begin with `_flower`, since the handler behind it may use any other.
    """

    def __init__(self, application: Application, request: Any, **made_with: Any) -> None:
        vars(self).update(made_with, params={})  # host, route, visit, path
        door = self._flower_door
        for arguments in (request.arguments, request.query_arguments):
            if "next" in arguments:
                text = arguments["next"][-1].decode("utf-8", "replace")
                arguments["next"] = [destination(text, door.prefix).encode()]
        self._flower_name: str | None = None
        super().__init__(self._flower_route.options["application"], request)

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None:
        """Begin a session when the cookie is `user`. Raise LoginRefused for who may not enter."""
        if name != _USER:
            super().set_cookie(name, value, *args, **kwargs)
        elif value:
            self._flower_enter(value)
        else:
            add_cookies(self, self._flower_door.leave(self.request)[1])

    def get_signed_cookie(self, name: str, *args: Any, **kwargs: Any) -> bytes | None:
        """Return the session's name for `user`."""
        if name != _USER:
            return super().get_signed_cookie(name, *args, **{"min_version": 2, **kwargs})
        if self._flower_name is None:
            session = self._flower_door.sessions.find(self.request)
            if session is None or not self._flower_door.may_enter(session.identity):
                return None
            self._flower_name = session.identity.name
        return self._flower_name.encode()

    get_secure_cookie = get_signed_cookie  # Tornado's older name

    def _flower_enter(self, value: str | bytes) -> None:
        signed = self._flower_door.keys.verify(_USER, value)
        name = signed or ""
        try:
            if signed is None:
                raise LoginRefused("The login handler has to set the cookie `user` with set_signed_cookie")
            identity = self._flower_door.chosen([Identity(name, HandlerProvider.name)])
            cookies = self._flower_door.enter(self.request, identity)
        except LoginRefused as error:
            record_refused(self, self._flower_door, name, error.message)
            raise
        record(self, name, "login", "ok")
        self._flower_name = name
        add_cookies(self, cookies)

    @property
    def _flower_route(self) -> Route:
        route: Route = vars(self)["route"]
        return route

    @property
    def _flower_door(self) -> Door:
        door: Door = self._flower_route.options["door"]
        return door


class _Back(Handler):
    """Stands behind the handler: answers to HEAD and OPTIONS, and error pages, unless it has its own."""

    def initialize(self, *args: object, **made_with: object) -> None:
        """Take nothing: it is known already."""


def custom_login(door: Door, provider: HandlerProvider, application: HandlerApplication) -> Route:
    """Return the route of a login handler of one's own."""
    handler = type(f"Mounted{provider.handler.__name__}", (_Front, provider.handler, _Back), {})
    options = {"door": door, "application": application}
    return Route("/login", handler, "public", "page", "login", help="Log in.", options=options)


def _no_log(handler: object) -> None:
    """Access lines are for --debug."""
