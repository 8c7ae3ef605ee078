"""The Celery app's result backend, with time limits and without a word executed that comes from it."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from celery.app import backends
from kombu.exceptions import ContentDisallowed, DecodeError

from flower.connecting import failures, open_bounded, release
from flower.control.mailbox import UNAVAILABLE, UNSAFE
from flower.masking import safe_error
from flower.quiet import QuietLog
from flower_plugins import READY_STATES, TaskResult, Unavailable

__all__ = ["ResultBackend"]

T = TypeVar("T")

_CONNECT_SECONDS = 1.5
_ANSWER_SECONDS = 1.5
_LOCK_SECONDS = 2.0
_MAX_STUCK = 4
_MAX_KEPT = 10_000
_MAX_READ = 1000
_MAX_DEPTH = 200
_DISABLED = ("", "disabled", "disabled://", "None")
_UNREADABLE = "The result is encoded in a way that is not safe to read, such as pickle"
_NO_BACKEND = "No result backend is configured"


class ResultBackend:
    """Reads and marks results on one connection, used by one thread at a time.

    A call that hangs keeps its connection; `abandon` gives the next caller a new one. Only so many may hang.
    """

    def __init__(self, app: Any, *, log: logging.Logger | None = None) -> None:
        self._app = app
        self._quiet = QuietLog(log or logging.getLogger("flower.control"), interval=60)
        self._guard = threading.Lock()
        self._line: _Line | None = None
        self._stuck: list[_Line] = []

    @property
    def configured(self) -> bool:
        """Tell whether the Celery app has a result backend."""
        return bool(self._app.backend_cls) or str(self._app.conf.result_backend or "") not in _DISABLED

    def fetch(self, uuids: Sequence[str]) -> dict[str, TaskResult | Unavailable]:
        """Return what is known of each task, or why that one cannot be read.

        Blocks; raise Unavailable when the backend does not answer.
        """
        return {uuid: self._told(uuid, meta) for uuid, meta in self._call(lambda line: line.metas(uuids)).items()}

    def abort(self, uuid: str) -> None:
        """Mark a task as aborted. Blocks; raise Unavailable when the backend does not answer or has no such mark."""
        self._call(lambda line: line.abort(uuid))

    def declare_replies(self, channel: Any) -> str | None:
        """Return where workers have to send the results of a task, None when they store them.

        With Celery's `rpc` backend that is a queue, declared on the channel.
        """
        try:
            line = self._current()
        except Unavailable:
            return None  # whoever wants the result will be told; the task runs all the same
        if not _is_rpc(line.backend):
            return None
        line.backend.binding(channel).declare()
        return str(line.backend.oid)

    def abandon(self) -> None:
        """Leave the present connection to the call that hangs in it."""
        with self._guard:
            line, self._line = self._line, None
            if line is not None and line.busy.locked():
                self._stuck.append(line)

    def close(self) -> None:
        """Release the connection, and what was made on the broker. Blocks."""
        with self._guard:
            line, self._line = self._line, None
        if line is not None:
            line.leave()

    def _told(self, uuid: str, meta: Mapping[str, Any] | Exception) -> TaskResult | Unavailable:
        if not isinstance(meta, Exception):
            return _told(uuid, meta)
        self._quiet.warning("unreadable", f"A result was refused: {safe_error(meta)}")
        return Unavailable(_UNREADABLE)

    def _call(self, act: Callable[[_Line], T]) -> T:
        line = self._current()
        if not line.busy.acquire(timeout=_LOCK_SECONDS):
            raise Unavailable(UNAVAILABLE)
        try:
            return act(line)
        except Unavailable:
            raise
        except Exception as error:  # guards the callers: every library of every backend has exceptions of its own
            line.close()
            self._quiet.warning("unreachable", f"The result backend cannot be reached: {safe_error(error)}")
            raise Unavailable(UNAVAILABLE) from None
        finally:
            line.busy.release()

    def _current(self) -> _Line:
        if not self.configured:
            raise Unavailable(_NO_BACKEND)
        with self._guard:
            self._stuck = [line for line in self._stuck if line.busy.locked()]
            if len(self._stuck) >= _MAX_STUCK:
                raise Unavailable(UNAVAILABLE)
            if self._line is None:
                self._line = self._make()
            return self._line

    def _make(self) -> _Line:
        try:
            kind, url = backends.by_url(self._app.backend_cls or self._app.conf.result_backend, self._app.loader)
            backend = kind(app=self._app, url=url)
        except Exception as error:  # guards the callers: a backend's library may be missing or its URL wrong
            self._quiet.warning("unusable", f"The result backend cannot be used: {safe_error(error)}")
            raise Unavailable(UNAVAILABLE) from None
        _bound(backend)
        return _Replies(self._app, backend) if _is_rpc(backend) else _Line(backend)


class _Line:
    """One instance of the app's backend."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.busy = threading.Lock()

    def metas(self, uuids: Sequence[str]) -> dict[str, Mapping[str, Any] | Exception]:
        """Return what the backend stores of each task, or the error of decoding it."""
        backend = self.backend
        if not hasattr(backend, "connparams"):
            return {uuid: _decoded(lambda uuid=uuid: backend.get_task_meta(uuid, cache=False)) for uuid in uuids}
        # Redis answers for all at once.
        payloads = backend.mget([backend.get_key_for_task(uuid) for uuid in uuids])
        return {
            uuid: _decoded(lambda payload=payload: backend.decode_result(payload)) if payload else {"status": "PENDING"}
            for uuid, payload in zip(uuids, payloads, strict=True)
        }

    def abort(self, uuid: str) -> None:
        """Store the state."""
        self.backend.store_result(uuid, None, "ABORTED", traceback=None)

    def close(self) -> None:
        """Close what a broken connection has left; the next call opens a new one."""
        pool = getattr(self.backend.__dict__.get("client"), "connection_pool", None)
        if pool is not None:
            pool.disconnect()

    def leave(self) -> None:
        """Close for good."""
        self.close()


class _Replies(_Line):
    """Results that workers send to a queue, Celery's `rpc`: only those of tasks sent from here ever arrive."""

    def __init__(self, app: Any, backend: Any) -> None:
        super().__init__(backend)
        self._app = app
        self._connection: Any = None
        self._kept: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def metas(self, uuids: Sequence[str]) -> dict[str, Mapping[str, Any] | Exception]:
        """Take what has arrived, and return the newest about each task."""
        fresh = self._connection is None
        try:
            self._read()
        except failures(self._connection):
            self.close()
            if fresh:
                raise
            self._read()  # it broke while nobody used it
        return {uuid: self._kept.get(uuid, {"status": "PENDING"}) for uuid in uuids}

    def abort(self, uuid: str) -> None:
        raise Unavailable("The result backend rpc:// has no place to mark a task as aborted")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            release(connection)

    def leave(self) -> None:
        try:
            if self._connection is not None:
                self.backend.binding(self._connection.default_channel).delete()
        except failures(self._connection):
            pass  # it expires
        self.close()

    def _read(self) -> None:
        if self._connection is None:
            # Nobody would send heartbeats in between.
            self._connection = self._app.connection_for_write(heartbeat=0)
            open_bounded(self._connection, connect=_CONNECT_SECONDS, answer=_ANSWER_SECONDS)
        queue = self.backend.binding(self._connection.default_channel)
        queue.declare()
        for _ in range(_MAX_READ):
            message = queue.get(accept=self.backend.accept, no_ack=True)
            if message is None:
                return
            with suppress(ContentDisallowed, DecodeError):  # a pickle concerns nobody but its task
                self._keep(message.payload)

    def _keep(self, meta: Any) -> None:
        uuid = meta.get("task_id") if isinstance(meta, Mapping) else None
        if not isinstance(uuid, str):
            return
        self._kept[uuid] = self.backend.meta_from_decoded(dict(meta))
        self._kept.move_to_end(uuid)
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)


def _decoded(read: Callable[..., Mapping[str, Any]]) -> Mapping[str, Any] | Exception:
    """Return what `read` returns, or the error of what cannot be decoded, which concerns nobody but its task."""
    try:
        return read()
    except (ContentDisallowed, DecodeError) as error:
        return error


def _bound(backend: Any) -> None:
    """Take from a backend what would make it wait, try again for minutes, or run what it reads."""
    backend.always_retry = False
    backend.retry_policy = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    backend.exception_to_python = _exception_text
    backend.accept = {kind for kind in backend.accept or ("application/json",) if kind not in UNSAFE} or {
        "application/json"
    }
    if hasattr(backend, "_decode_stored_result"):
        # Celery's database backend unpickles rows that it cannot decode, whatever it is to accept.
        backend._decode_stored_result = backend.decode  # noqa: SLF001  # there is no public name for it
    connparams = getattr(backend, "connparams", None)
    if isinstance(connparams, dict):
        # Only there where the library is: a new connection once, when an old one broke, and no pauses.
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as BrokenConnection
        from redis.retry import Retry

        connparams.update(
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_CONNECT_SECONDS,
            retry_on_timeout=False,
            retry=Retry(NoBackoff(), 1, supported_errors=(BrokenConnection,)),
        )
        if "path" in connparams:
            del connparams["socket_connect_timeout"]  # a unix socket does not know it


def _exception_text(stored: Any) -> str | None:
    """Return a stored exception as its `repr` would look, without making one."""
    if not stored:
        return None
    if not isinstance(stored, Mapping):
        return repr(stored)
    message = stored.get("exc_message", ())
    parts = message if isinstance(message, (list, tuple)) else [message]
    return f"{stored.get('exc_type', 'Exception')}({', '.join(map(repr, parts))})"


def _told(uuid: str, meta: Mapping[str, Any]) -> TaskResult:
    state = str(meta.get("status") or "PENDING")
    if state not in READY_STATES:
        return TaskResult(uuid, state)
    return TaskResult(uuid, state, _showable(meta.get("result")), str(meta.get("traceback") or ""))


def _showable(value: Any) -> Any:
    """Return a value that can be written as JSON: itself, else its `repr`, or its JSON as a text when too deep."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return repr(value)
    # Writers and readers differ in how deep they go.
    return text if _deeper_than(_MAX_DEPTH, value) else value


def _deeper_than(levels: int, value: Any) -> bool:
    level = [value]
    for _ in range(levels):
        level = [inner for item in level for inner in _items(item)]
        if not level:
            return False
    return True


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()


def _is_rpc(backend: Any) -> bool:
    """Tell whether it is Celery's `rpc` or made of it, without importing that for others."""
    module = sys.modules.get("celery.backends.rpc")
    return module is not None and isinstance(backend, module.RPCBackend)
