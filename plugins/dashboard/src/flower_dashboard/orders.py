"""What can be ordered of workers: the question asked before, and what is done after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct

from flower_plugins import Access, Host, InvalidParameter, Param
from flower_plugins.bounds import MAX_PROCESSES

__all__ = ["ORDERS", "Order", "order_params"]

Given = Mapping[str, Any]

_N = Param("n", int, 1, minimum=1, maximum=MAX_PROCESSES, help="How many processes.")
_QUEUE = Param("queue", str, required=True, help="Name of a queue.")
_TASK = Param("task", str, required=True, help="Name of a task.")


class Order(Struct, frozen=True):
    """An order to one worker.

    `path` stands behind the worker's own. `question` may name parameters in braces, and so may `button`, which
    is followed by the worker's name. `asks` names the parameters that a question about several workers asks for.
    `moves` means that what the worker said of itself is out of date afterwards. `undo` is the order with the same
    parameters that brings back what was, "" where none does.
    """

    slug: str
    path: str
    access: Access
    question: str
    consequence: str
    button: str
    run: Callable[[Host, str, Given], Awaitable[str]]
    params: tuple[Param, ...] = ()
    asks: tuple[tuple[str, str], ...] = ()
    danger: bool = False
    moves: bool = True
    many: bool = True
    undo: str = ""

    def words(self, text: str, given: Given) -> str:
        """Return a text with the parameters filled in."""
        for name, value in given.items():
            text = text.replace("{" + name + "}", str(value))
        return text


async def _shutdown(host: Host, name: str, _: Given) -> str:
    await host.control.shutdown(name)
    return "Shutting down!"


async def _restart(host: Host, name: str, _: Given) -> str:
    return await host.control.pool_restart(name)


async def _grow(host: Host, name: str, given: Given) -> str:
    return await host.control.pool_grow(name, given["n"])


async def _shrink(host: Host, name: str, given: Given) -> str:
    return await host.control.pool_shrink(name, given["n"])


async def _autoscale(host: Host, name: str, given: Given) -> str:
    return await host.control.autoscale(name, given["min"], given["max"])


async def _add_consumer(host: Host, name: str, given: Given) -> str:
    return await host.control.add_consumer(name, given["queue"])


async def _cancel_consumer(host: Host, name: str, given: Given) -> str:
    return await host.control.cancel_consumer(name, given["queue"])


async def _rate_limit(host: Host, name: str, given: Given) -> str:
    return await host.control.rate_limit(name, given["task"], given["limit"])


async def _time_limit(host: Host, name: str, given: Given) -> str:
    soft, hard = _seconds(given["soft"], "soft"), _seconds(given["hard"], "hard")
    if soft is None and hard is None:
        raise InvalidParameter("Give a soft or a hard limit in seconds; 0 removes one")
    return await host.control.time_limit(name, given["task"], soft=soft, hard=hard)


async def _forget(host: Host, name: str, _: Given) -> str:
    host.workers.forget(name)
    host.stream.notify("workers")
    return f"Removed {name!r}"


def _seconds(text: str, what: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidParameter(f"Invalid argument {text[:100]!r}: {what} is a number of seconds") from None


ORDERS: Mapping[str, Order] = {
    order.slug: order
    for order in (
        Order(
            "shutdown",
            "shutdown",
            "admin",
            "Shut down?",
            "It finishes its running tasks and ends. Flower cannot start it again.",
            "Shut down",
            _shutdown,
            danger=True,
            moves=False,
        ),
        Order(
            "pool-restart",
            "pool/restart",
            "admin",
            "Restart the pool?",
            "Its processes are replaced. Tasks that run in them are lost unless they are acknowledged late.",
            "Restart pool of",
            _restart,
            danger=True,
        ),
        Order(
            "pool-grow",
            "pool/grow",
            "write",
            "Add {n} to the pool?",
            "So many more tasks run at the same time, until the worker is started anew.",
            "Grow pool of",
            _grow,
            (_N,),
            (("n", "Processes"),),
            undo="pool-shrink",
        ),
        Order(
            "pool-shrink",
            "pool/shrink",
            "write",
            "Take {n} from the pool?",
            "So many fewer tasks run at the same time; those that run now end first.",
            "Shrink pool of",
            _shrink,
            (_N,),
            (("n", "Processes"),),
            undo="pool-grow",
        ),
        Order(
            "autoscale",
            "pool/autoscale",
            "write",
            "Keep the pool between {min} and {max}?",
            "It must have been started with --autoscale.",
            "Set autoscale of",
            _autoscale,
            (
                Param("min", int, required=True, minimum=0, maximum=MAX_PROCESSES, help="Fewest processes."),
                Param("max", int, required=True, minimum=1, maximum=MAX_PROCESSES, help="Most processes."),
            ),
            (("min", "At least"), ("max", "At most")),
        ),
        Order(
            "consumer-add",
            "queue/add",
            "write",
            "Consume from {queue}?",
            "It takes messages from this queue too. A queue of that name is made when there is none.",
            "Add consumer to",
            _add_consumer,
            (_QUEUE,),
            (("queue", "Queue"),),
            undo="consumer-cancel",
        ),
        Order(
            "consumer-cancel",
            "queue/cancel",
            "write",
            "No longer consume from {queue}?",
            "Messages stay in the queue unless another worker takes them.",
            "Cancel consumer of",
            _cancel_consumer,
            (_QUEUE,),
            (("queue", "Queue"),),
            danger=True,
            undo="consumer-add",
        ),
        Order(
            "rate-limit",
            "limit/rate",
            "write",
            "Limit {task} to {limit}?",
            "This worker starts it no more often than that, until it is started anew. 0 removes the limit.",
            "Set rate limit at",
            _rate_limit,
            (_TASK, Param("limit", str, required=True, help="Such as 10/s, 100/m or 0.")),
            (("task", "Task"), ("limit", "Rate, such as 10/m")),
        ),
        Order(
            "time-limit",
            "limit/time",
            "write",
            "Limit the runtime of {task}?",
            "After the soft limit it can clean up, after the hard one its process is killed. 0 removes a limit.",
            "Set time limits at",
            _time_limit,
            (
                _TASK,
                Param("soft", str, "", help="Seconds after which the task is told; empty leaves this limit."),
                Param("hard", str, "", help="Seconds after which its process is killed; empty leaves this limit."),
            ),
            (("task", "Task"), ("soft", "Soft limit, seconds"), ("hard", "Hard limit, seconds")),
        ),
        Order(
            "forget",
            "forget",
            "write",
            "Remove from the list?",
            "Flower forgets it and its counts. It is back as soon as it is heard of.",
            "Remove",
            _forget,
            moves=False,
        ),
    )
}


def order_params() -> tuple[Param, ...]:
    """Return every parameter of every order, as texts and none required: for the questions."""
    names = {param.name: param for order in ORDERS.values() for param in order.params}
    return tuple(Param(name, str, "", help=param.help) for name, param in names.items())
