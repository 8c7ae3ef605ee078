"""`python -m tests.bench.interaction`: how long the tasks page takes in a browser from a click to the answer."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from playwright.sync_api import Page
from tests.bench.brokers import broker
from tests.bench.probe import percentile
from tests.bench.publisher import publishing
from tests.bench.report import machine
from tests.bench.servers import OURS, celery_of, serving
from tests.bench.traffic import EVENTS_PER_TASK, NAMES
from tests.bench.viewers import WINDOW, traffic
from tests.system.browsing import chromium

__all__ = ["INTERACTIONS", "Interaction", "main", "took"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-browser.md"

# Painted is what a frame shows, and the frame after it tells that it was shown. Some answers are a page of their own:
# the time of the click goes along, and the new page notes when it was painted first.
_SCRIPT = """
const now = () => performance.timeOrigin + performance.now();
const frame = () => new Promise(requestAnimationFrame);
const tell = (end) => sessionStorage.setItem("bench-took", end - Number(sessionStorage.getItem("bench-begun")));

window.benchAct = async ([selector, checks, text]) => {
    const element = document.querySelector(selector);
    const seen = () => (checks ? document.querySelectorAll(checks).length : location.href);
    const before = seen();
    sessionStorage.setItem("bench-begun", now());
    if (text) {
        element.value = text;
        element.form.requestSubmit();
    } else element.click();
    while (seen() === before) await frame();
    await frame();
    tell(now());
};

(async () => {
    if (!sessionStorage.getItem("bench-begun") || sessionStorage.getItem("bench-took")) return;
    let paints = [];
    while (!paints.length) {
        await frame();
        paints = performance.getEntriesByName("first-contentful-paint");
    }
    tell(performance.timeOrigin + paints[0].startTime);
})();
"""
_TOOK = "() => sessionStorage.getItem('bench-took')"


class Interaction(NamedTuple):
    """What is clicked, on which page, and what changes: the address, or the number of elements that `checks` finds.

    With a `text`, it is written into the element and its form is sent. `starts` is the page's path.
    """

    name: str
    selector: str
    checks: str = ""
    text: str = ""
    starts: str = "tasks"


INTERACTIONS = (
    *(Interaction(f"sort by {column}", f"th[data-column={column}] a") for column in ("name", "state", "runtime")),
    Interaction("sort by received, oldest first", "th[data-column=received] a"),
    Interaction("one state", '#filters a[href*="state=FAILURE"]'),
    Interaction("one task name", "#facets section[aria-labelledby=facet-name] a"),
    Interaction("one state of one name", '#filters a[href*="state=FAILURE"]', starts=f"tasks?name={NAMES[7]}"),
    Interaction("next page", "a[rel=next]"),
    Interaction("most rows", ".sizes a:last-of-type"),
    Interaction("search: state and name", "#search", text=f"state:FAILURE name:{NAMES[7]}"),
    Interaction("search: a word of every task", "#search", text="customer"),
    Interaction("search: a rare word", "#search", text="order-4321"),
    Interaction("another column", "#column-list li[data-column=retries] input", "th[data-column=retries]"),
    Interaction("select a row", "#results tbody input[type=checkbox]", "#results tbody input:checked"),
    Interaction("select all rows", "#pick-all", "#results tbody input:checked"),
    Interaction("open a task", "#results tbody tr td a[href*='/task/']"),
)


def main() -> None:
    """Measure what the command line asks for and print it; with --write keep it."""
    options = _options()
    results: list[tuple[str, Sequence[float]]] = []
    with (
        TemporaryDirectory(prefix="flower-bench-") as folder,
        broker("redis") as url,
        publishing(url) as publisher,
        serving(celery_of(OURS), url, [f"--max_tasks={options.tasks}"], Path(folder)) as server,
        chromium(options.chromium) as browser,
    ):
        server.warm(publisher)
        server.absorb(publisher, int(options.tasks * EVENTS_PER_TASK), window=WINDOW)
        print(f"{options.tasks:,} tasks, {options.rate:,} events/s; milliseconds from a click to the painted answer")
        print(f"{'interaction':34} {'first':>8} {'p50':>8} {'p95':>8}")
        for each in INTERACTIONS:
            page = browser.new_context(base_url=f"http://127.0.0.1:{server.port}/").new_page()
            with traffic(publisher, options.rate, options.repeat * 2.0):
                times = took(page, each, options.repeat)
            first, *later = times
            print(f"{each.name:34} {first:8.0f} {percentile(later, 0.5):8.0f} {percentile(later, 0.95):8.0f}")
            results.append((each.name, times))
            page.context.close()
        version = browser.version
    if options.write:
        PAGE.write_text("\n".join((*_report(results, options), f"| Chromium | {version} |", "")), encoding="utf-8")


def took(page: Page, interaction: Interaction, repeat: int) -> Sequence[float]:
    """Return how many milliseconds each of `repeat` interactions took until its answer was painted."""
    times: list[float] = []
    page.add_init_script(_SCRIPT)
    for _ in range(repeat):
        page.goto(interaction.starts)
        page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
        page.locator("#results tbody tr").first.wait_for()
        page.evaluate(
            "what => void window.benchAct(what)", [interaction.selector, interaction.checks, interaction.text]
        )
        times.append(float(page.wait_for_function(_TOOK).json_value()))
    return times


def _report(results: Sequence[tuple[str, Sequence[float]]], options: argparse.Namespace) -> Iterator[str]:
    yield "# Benchmarks in the browser"
    yield ""
    yield (
        f"From a click on the tasks page to the painted answer, in milliseconds, with {options.tasks:,} tasks in memory"
        f" while {options.rate:,} events a second arrive, by `python -m tests.bench.interaction`,"
        f" {date.today():%Y-%m-%d}. Browser, server, broker and publisher share the cores. Each was done"
        f" {options.repeat} times, always on a page that had just been opened; the first time, for which an index may"
        " have to be made, stands apart. [The other benchmarks](benchmarks.md) compare the servers."
    )
    yield ""
    yield "| | first | p50 | p95 |"
    yield "|---|---|---|---|"
    for name, (first, *later) in results:
        yield f"| {name} | {first:,.0f} | {percentile(later, 0.5):,.0f} | {percentile(later, 0.95):,.0f} |"
    yield ""
    yield "## Machine"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {name} | {value} |" for name, value in machine().items())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="interaction", description="Measure the tasks page in a browser.")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="tasks in memory")
    parser.add_argument("--rate", type=int, default=1000, help="events a second meanwhile")
    parser.add_argument("--repeat", type=int, default=21, help="how often each is done")
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="path of the browser")
    return parser.parse_args()


if __name__ == "__main__":
    main()
