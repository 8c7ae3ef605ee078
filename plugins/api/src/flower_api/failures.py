"""The errors that any route may answer, described in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flower_plugins import Route

__all__ = ["FAILURES", "Failure", "failures_of"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error status and when it comes."""

    status: int
    help: str


FAILURES: Mapping[int, Failure] = {
    each.status: each
    for each in (
        Failure(400, "A parameter is missing, of the wrong type or out of range; the message says which"),
        Failure(401, "Credentials are missing or wrong, or the API is closed because no login is configured"),
        Failure(403, "The caller may not do this, Flower is in read-only mode, or the worker refuses"),
        Failure(404, "There is no such route, task or worker"),
        Failure(405, "The route does not take that method"),
        Failure(409, "The worker is known but offline"),
        Failure(413, "The request body is larger than a megabyte"),
        Failure(421, "Flower does not know the host name it was asked by; `--allowed_hosts` makes it known"),
        Failure(503, "The broker or the result backend is out of reach, or a part of Flower did not start"),
        Failure(504, "The worker did not answer in time"),
    )
}


def failures_of(route: Route, method: str) -> Sequence[int]:
    """Return the statuses of the errors that come from in front of the handler, whatever it does."""
    if route.surface == "probe":
        return [400]
    statuses = [400, 403, 421, 503]
    if route.access != "public":
        statuses.append(401)
    if method != "GET":
        statuses.append(413)
    return sorted(statuses)
