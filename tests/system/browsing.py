"""A real browser that notices what a page must not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

__all__ = ["chromium", "watched"]

_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """Run the browser that is installed at a path."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Open a page of a Flower; at the end, fail for any console error, script error or request to another host."""
    complaints: list[str] = []
    context = browser.new_context(
        **{"base_url": f"{url}/", "viewport": {"width": 1440, "height": 900}, **options}  # type: ignore[arg-type]
    )

    def watch(page: Page) -> None:
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda each: None if each.url.startswith(url) else complaints.append(each.url))

    context.on("page", watch)
    yield context.new_page()
    context.close()
    assert complaints == []
