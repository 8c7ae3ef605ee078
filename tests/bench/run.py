"""`make bench`: measures ours and Flower 2.2.0 by turns, prints the report, and with --write keeps it."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench.brokers import Missing, broker
from tests.bench.figures import Figures
from tests.bench.report import Run, render
from tests.bench.scenarios.burst import BURST, GENERIC_BURST
from tests.bench.scenarios.cost import COST
from tests.bench.scenarios.idle import IDLE
from tests.bench.scenarios.ingest import INGEST
from tests.bench.scenarios.overload import OVERLOAD
from tests.bench.scenarios.pace import PACE
from tests.bench.scenarios.tasks import TASKS
from tests.bench.servers import OURS, PEER, celery_of
from tests.bench.trial import FULL, QUICK, Scale, Scenario, Trial

__all__ = ["SCENARIOS", "main"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
SCENARIOS = (IDLE, BURST, GENERIC_BURST, COST, PACE, OVERLOAD, INGEST, TASKS)
BROKERS = ("redis", "rabbitmq")


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return 1 when something could not be measured."""
    options = _options(words)
    scale = QUICK if options.quick else FULL
    if options.sizes:
        scale = dataclasses.replace(scale, sizes=tuple(sorted(options.sizes)))
    chosen = [each for each in SCENARIOS if each.name in options.scenario] if options.scenario else list(SCENARIOS)
    left_out = []
    if options.quick and not options.scenario:
        left_out = [f"{each.title}: not part of the quick run." for each in chosen if not each.quick]
        chosen = [dataclasses.replace(each, brokers=each.quick) for each in chosen if each.quick]
    repeat = options.repeat or (1 if options.quick else 0)
    if repeat:
        chosen = [dataclasses.replace(each, repeat=repeat) for each in chosen]
    run = Run(Figures(), chosen, options.broker or BROKERS, options.quick, left_out)
    # So that whoever ends this ends the brokers and servers it started as well.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))

    def keep() -> None:
        if options.write:
            PAGE.write_text(render(run), encoding="utf-8")

    for side in (OURS, PEER):
        celery_of(side)  # made now, so that no trial waits for it
    failed = _measure(run, scale, keep)
    print(render(run))
    return 1 if failed else 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure Flower beside Flower 2.2.0.")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--scenario", action="append", choices=names, help="only this one; may be repeated")
    parser.add_argument("--broker", action="append", choices=BROKERS, help="only this one; may be repeated")
    parser.add_argument("--sizes", type=_sizes, help="numbers of tasks for the scenario tasks, like 10000,100000")
    parser.add_argument(
        "--repeat", type=int, help="pairs of runs to take medians of; as each scenario says, or 1 with --quick"
    )
    parser.add_argument("--quick", action="store_true", help="an orientation, in less than a minute")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    return parser.parse_args(words)


def _sizes(text: str) -> list[int]:
    return [int(word.replace("_", "")) for word in text.split(",")]


def _measure(run: Run, scale: Scale, keep: Callable[[], None]) -> bool:
    """Fill in the figures; note what failed and go on. `keep` is called after each trial, for a run takes long."""
    failed = False
    with ExitStack() as stack:
        urls: dict[str, str] = {}
        for name in run.brokers:
            try:
                urls[name] = stack.enter_context(broker(name, borrow=run.quick))
            except Missing as missing:
                run.left_out.append(f"Everything on {name}: {missing}.")
                failed = True
        for scenario, where, side, repetition in _order(run, list(urls)):
            begun = time.monotonic()
            trial = Trial(side, where, urls[where], scale)
            try:
                for figure in scenario.measure(trial):
                    run.figures.add(scenario.name, where, side, repetition, figure)
                    _say(f"  {figure.subject}: {figure.value:,.4g} {figure.quantity.unit} {figure.note}")
            except (OSError, RuntimeError, AssertionError) as error:
                # A run takes long: what one scenario stumbles over must not cost the others.
                failed = True
                run.left_out.append(f"{scenario.title} on {where}, {side}, repetition {repetition + 1}: {error}.")
                _say(f"  failed: {error}")
            took = time.monotonic() - begun
            _say(f"{scenario.name} on {where}, {side}, {repetition + 1} of {scenario.repeat}: {took:.1f} s")
            keep()
    return failed


def _order(run: Run, brokers: Sequence[str]) -> Iterator[tuple[Scenario, str, str, int]]:
    """Yield every trial: sides by turns, and the other one first in every second repetition."""
    for scenario in run.scenarios:
        for where in (name for name in brokers if name in scenario.brokers):
            for repetition in range(scenario.repeat):
                sides = scenario.sides if repetition % 2 == 0 else tuple(reversed(scenario.sides))
                for side in sides:
                    yield scenario, where, side, repetition


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
