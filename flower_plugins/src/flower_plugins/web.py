"""The Tornado handler that plugins subclass; the guard has run before it is made."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import math
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import Finish, HTTPError, RequestHandler

from flower_plugins.errors import FlowerError, Forbidden, InvalidParameter, Unavailable
from flower_plugins.host import Host
from flower_plugins.identity import Identity
from flower_plugins.routes import Access, Param, Route

__all__ = ["Handler", "Visit", "foreign", "handler_of", "methods", "netloc", "wants_json"]

T = TypeVar("T")

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_NO_SUCH_METHOD = 405
_CLIENT_LEFT = 499
_TRUE = frozenset(("1", "t", "true", "y", "yes", "on"))
_FALSE = frozenset(("0", "f", "false", "n", "no", "off"))


class Visit(Protocol):
    """What core's guard found out about this request."""

    @property
    def identity(self) -> Identity | None: ...
    @property
    def remote_ip(self) -> str: ...
    @property
    def surface(self) -> str: ...
    @property
    def can_log_out(self) -> bool:
        """Tell whether a login page let the visitor in, so that a session can be ended."""

    def refusal(self, access: Access) -> str | None:
        """Return why this visitor may not use routes of that access, None when they may."""

    def error_body(self, status: int, message: str) -> tuple[str, bytes]:
        """Return (Content-Type, body) of an error answer in the form this request asked for."""


class Handler(RequestHandler):
    """Base of every page and API handler.

    Read `self.params` (declared on the route, typed), `self.path` (named groups of the pattern) and
    `self.host`. Raise the exceptions of `flower_plugins.errors`; their messages reach the caller.
    HEAD works wherever `get` is defined. A subclass that overrides `prepare` calls it on super().
    """

    host: Host
    route: Route
    visit: Visit
    path: Mapping[str, str]
    params: Mapping[str, Any]
    _wait: asyncio.Task[Any] | None = None

    def initialize(self, host: Host, route: Route, visit: Visit, path: Mapping[str, str]) -> None:
        self.host, self.route, self.visit, self.path = host, route, visit, path
        self.params = {}

    def prepare(self) -> Awaitable[None] | None:
        """Read the route's parameters."""
        self.params = {param.name: self._read(param) for param in self.route.params}
        return None

    async def while_connected(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns. When the client goes away it is cancelled, and the handler ends here."""
        task: asyncio.Task[T] = asyncio.ensure_future(work)
        self._wait = task
        try:
            return await task
        except asyncio.CancelledError:
            if self._wait is not None:
                raise
            self.set_status(_CLIENT_LEFT, "Client left")
            raise Finish from None
        finally:
            self._wait = None

    def on_connection_close(self) -> None:
        """End what is done for a client that is gone; a subclass that overrides this calls it on super()."""
        task, self._wait = self._wait, None
        if task is not None:
            task.cancel()

    def head(self, *args: Any, **kwargs: Any) -> Any:
        """Answer like GET; Tornado leaves the body out."""
        return self.get(*args, **kwargs)

    def options(self, *args: Any, **kwargs: Any) -> None:
        """Answer 204 with the methods this route has."""
        self.set_header("Allow", self._allowed())
        self.set_status(204)

    @property
    def foreign(self) -> bool:
        """Tell whether another site's page is behind this request, which a read with an effect must not heed."""
        return foreign(self.request)

    def send_json(self, value: Any) -> None:
        """Finish with strict JSON."""
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(self.host.json(value))

    def send_page(self, template: str, **context: Any) -> None:
        """Finish with a rendered template, or with plain text of the context where no renderer is installed."""
        html = self.host.render(template, {**context, "handler": self, "visit": self.visit})
        if html is not None:
            self.set_header("Content-Type", "text/html; charset=UTF-8")
            self.finish(html)
            return
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish("".join(f"{name}: {value}\n" for name, value in context.items()))

    def require(self, access: Access) -> None:
        """Raise Forbidden unless the visitor also has `access`."""
        reason = self.visit.refusal(access)
        if reason is not None:
            raise Forbidden(reason)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer a FlowerError with its own status."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, FlowerError):
            status_code = error.status
        super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Finish with the error in the form the request asked for: page, text or JSON."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        message = ""
        if isinstance(error, FlowerError):
            message = error.message
        elif isinstance(error, HTTPError):
            message = error.log_message or ""
            with contextlib.suppress(TypeError, ValueError):
                message = message % error.args if error.args else message
        if status_code == _NO_SUCH_METHOD:
            self.set_header("Allow", self._allowed())
        content_type, body = self.visit.error_body(status_code, message)
        self.set_header("Content-Type", content_type)
        self.finish(body)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what nobody foresaw; a refusal is an answer, not an incident."""
        if not isinstance(value, FlowerError) or value.status == 500:
            super().log_exception(typ, value, tb)

    def _allowed(self) -> str:
        return ", ".join([*methods(type(self)), "OPTIONS"])

    def _read(self, param: Param) -> Any:
        text = self.get_argument(param.name, None)
        if text is None or (text == "" and param.type is str):
            if param.required:
                raise InvalidParameter(f"Missing argument {param.name}")
            return param.default if text is None else ""
        value = _parse(text, param)
        if param.choices and value not in param.choices:
            expected = ", ".join(filter(None, param.choices))
            raise InvalidParameter(f"Invalid argument {text!r}, expected one of {expected}")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if param.minimum is not None and value < param.minimum:
                raise InvalidParameter(f"Invalid argument {text!r}: {param.name} is at least {param.minimum:g}")
            if param.maximum is not None and value > param.maximum:
                raise InvalidParameter(f"Invalid argument {text!r}: {param.name} is at most {param.maximum:g}")
        return value


def handler_of(route: Route) -> type[Handler]:
    """Return a route's handler, imported now where the route only names it. Raise Unavailable when that fails."""
    named = route.handler
    return _loaded(named, route.pattern) if isinstance(named, str) else named


@cache
def _loaded(named: str, pattern: str) -> type[Handler]:
    module, _, name = named.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # the plugin boundary: an import runs foreign code
        raise Unavailable(f"cannot load {named!r} for {pattern!r}: {type(error).__name__}: {error}") from error
    if not isinstance(found, type) or not issubclass(found, Handler):
        raise Unavailable(f"{named!r}, named for {pattern!r}, is not a subclass of flower_plugins.web.Handler")
    return found


def methods(handler: type) -> Sequence[str]:
    """Return the methods that a handler answers, in upper case, OPTIONS apart."""
    names = [each for each in _METHODS if _method(handler, each) not in (None, _method(RequestHandler, each))]
    return ["GET", "HEAD", *names[1:]] if names[:1] == ["GET"] else names


def foreign(request: HTTPServerRequest) -> bool:
    """Tell whether the browser says that another site's page is behind the request.

    Missing headers do not count against it: scripts send none, and a browser sends no Sec-Fetch-Site on plain http
    outside localhost. Core's guard has refused unsafe methods from other sites before; this is for the others.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and netloc(origin) != request.host.lower()


def netloc(url: str) -> str:
    """Return the host and port of a URL in lower case, "" for what is none, like the origin `null`."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def wants_json(accept: str) -> bool:
    """Tell whether an Accept header names application/json."""
    return any(part.split(";")[0].strip().lower() == "application/json" for part in accept.split(","))


def _method(handler: type, name: str) -> Any:
    return getattr(handler, name.lower(), None)


def _parse(text: str, param: Param) -> Any:
    if param.type is str:
        return text
    wrong = InvalidParameter(f"Invalid argument {text[:100]!r} of type {param.type.__name__!r}")
    if param.type is bool:
        word = text.lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise wrong
    try:
        value = param.type(text) if len(text) <= 40 else None
    except ValueError:
        raise wrong from None
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise wrong
    return value
