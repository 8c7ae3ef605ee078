"""Routes: a pattern, a handler, and who may use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field

__all__ = ["ACCESS_LEVELS", "Access", "Answer", "Example", "Param", "Route", "Surface"]

Access = Literal["public", "read", "write", "admin"]
Surface = Literal["page", "api", "probe"]

ACCESS_LEVELS: tuple[Access, ...] = ("public", "read", "write", "admin")


class Param(Struct, frozen=True):
    """A request parameter, from the query string or a form body; the last of several wins.

    `type` is str, int, float or bool. `minimum` and `maximum` are inclusive. A bad value is answered
    with 400 before the handler runs.
    """

    name: str
    type: type = str
    default: Any = None
    required: bool = False
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: Sequence[str] = ()


class Answer(Struct, frozen=True):
    """What a route may answer with that status, for its documentation.

    `type` is what msgspec makes a JSON schema of, None for an answer without a body or one that is no JSON.
    """

    status: int
    help: str
    type: Any = None
    content_type: str = "application/json"


class Example(Struct, frozen=True):
    """A request that shows a route at work, for its documentation: `help` says what it asks for.

    The groups of the route's pattern stay placeholders. `body` is sent as JSON, None for no body.
    """

    help: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None


class Route(Struct, frozen=True):
    """Map a path to a handler.

    `pattern` is a regular expression without the url prefix, matched as a whole; its named groups
    arrive in `Handler.path`. `handler` is a subclass of `flower_plugins.web.Handler`, or names one as
    "package.module:Class", which is then imported when the first request needs it. `access` is what
    a caller needs: public, read, write (act on tasks and queues) or admin (shutdown, restart, purge).
    The last two answer to unsafe methods only, are refused in read-only mode and protected against
    cross-site requests. `surface` decides how a refusal looks: a page redirects to the login, the API
    answers 401. Both must be stated. `options` is for the handler, which finds it at
    `self.route.options`. `body` is the type of the JSON body that the handler reads, as msgspec
    describes it; `answers` are those that are not the same for every route. A route without `examples`
    is shown with its bare path.
    """

    pattern: str
    handler: type | str
    access: Access
    surface: Surface
    name: str
    params: Sequence[Param] = ()
    help: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    answers: Sequence[Answer] = ()
    examples: Sequence[Example] = ()
