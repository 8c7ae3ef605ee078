"""`make soak`: twenty minutes of churn, or as many as `--minutes` says; ends with 1 when a bound was broken."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from tests.bench.brokers import Missing
from tests.soak.trial import Outcome, soak

__all__ = ["main", "report"]


def main(words: Sequence[str] | None = None) -> int:
    """Run and print a report."""
    parser = argparse.ArgumentParser(prog="soak", description="Run Flower through churn and see that it does not grow.")
    parser.add_argument("--minutes", type=float, default=20.0, help="how long, start and end included; 20")
    parser.add_argument("--persistent", action="store_true", help="keep the history on disk meanwhile")
    options = parser.parse_args(words)
    # What was started ends with us, however we are told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    try:
        outcome = soak(options.minutes, _say, options=["--persistent"] if options.persistent else [])
    except Missing as missing:
        _say(f"Nothing to soak with: {missing}")
        return 1
    print(report(outcome))
    return 0 if outcome.passed else 1


def report(outcome: Outcome) -> str:
    """Return what was found, a line for each bound."""
    lines = [f"{'ok    ' if each.kept else 'BROKEN'}  {each.name}: {each.text}" for each in outcome.findings]
    lines += [f"WRONG   {complaint}" for complaint in outcome.complaints]
    return "\n".join([*lines, *(f"        {note}" for note in outcome.notes)])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
