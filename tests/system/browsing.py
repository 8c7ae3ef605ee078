"""A real browser that notices what a page must not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

__all__ = ["INJECTED", "check_accessibility", "chromium", "watched"]

INJECTED = "x-evil, [onclick], [onerror], [style*=expression], main img, script:not([src])"
"""What hostile texts would have made, were they taken for markup."""

_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


_WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """Run the browser that is installed at a path."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, url: str, *, expected: str = "", **options: Any) -> Iterator[Page]:
    """Open a page of a Flower; at the end, fail for any console error, script error or request to another host.

    A console line with the `expected` words is none of them.
    """
    complaints: list[str] = []
    context = browser.new_context(
        **{"base_url": f"{url}/", "viewport": {"width": 1440, "height": 900}, **options}  # type: ignore[arg-type]
    )

    def hear(line: ConsoleMessage) -> None:
        if line.type in ("error", "warning") and not (expected and expected in line.text):
            complaints.append(line.text)

    def watch(page: Page) -> None:
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda each: None if each.url.startswith(url) else complaints.append(each.url))

    context.on("page", watch)
    yield context.new_page()
    context.close()
    assert complaints == []


def check_accessibility(page: Page) -> None:
    """Check WCAG 2.1 A and AA, in both themes; of the dark one what colours decide, for it changes nothing else."""
    for theme, options in (("light", _WCAG), ("dark", _COLOURS)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = Axe().run(page, options=options)
        assert found.violations_count == 0, f"{page.url}, {theme}: {found.generate_report()}"
