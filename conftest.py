"""What every test may ask for: services that stand outside Python, and the rule about skipping."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import flower_plugins  # noqa: F401  pytest would take the folder of that name for the package, were it not imported yet

STRICT = "FLOWER_REQUIRE_SERVICES"
"""With this environment variable set to 1 a skipped test is a failed one."""


@pytest.fixture(scope="session")
def need_service() -> Iterator[Callable[[str], str]]:
    """Return `need_service(name)`: where to find a service, or skip with a line that says what to install.

    "redis" and "rabbitmq" answer with a broker URL, "chromium" and "nginx" with the path of the
    program, "idp" with a folder in which npm has installed the identity provider of the tests. Redis is
    started for the session when none runs here.
    """
    known: dict[str, str] = {}
    with ExitStack() as stack:
        finders: dict[str, Callable[[], str]] = {
            "redis": lambda: _redis(stack),
            "rabbitmq": _rabbitmq,
            "chromium": lambda: _program("chromium", "chromium-browser", "google-chrome"),
            "nginx": lambda: _program("nginx", "/usr/sbin/nginx"),
            "idp": _identity_provider,
        }

        def need(name: str) -> str:
            if name not in known:
                known[name] = finders[name]()
            if not known[name]:
                pytest.skip(f"needs {name}: {_MEND[name]}")
            return known[name]

        yield need


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


_MEND = {
    "redis": "apt-get install redis-server",
    "rabbitmq": "apt-get install rabbitmq-server, then start it on port 5672",
    "chromium": "apt-get install chromium",
    "nginx": "apt-get install nginx-light",
    "idp": "apt-get install nodejs npm, and a network from which npm can install",
}


def _refuse_skip(report: Any) -> None:
    if report.outcome == "skipped" and not hasattr(report, "wasxfail") and os.environ.get(STRICT) == "1":
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr[2]} (skipped tests count as failures: {STRICT} is set)"


def _redis(stack: ExitStack) -> str:
    if _answers(6379):
        return "redis://127.0.0.1:6379"
    server = _program("redis-server", "valkey-server")
    return stack.enter_context(_private_redis(server)) if server else ""


@contextmanager
def _private_redis(server: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="flower-redis-") as folder:
        words = [
            server,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            folder,
        ]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 10
            while not _answers(port) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _rabbitmq() -> str:
    return "amqp://guest:guest@127.0.0.1:5672//" if _answers(5672) else ""


def _identity_provider() -> str:
    """Install what tests/system/idp/package.json names, once for each version of it, outside the repository."""
    manifest = Path(__file__).parent / "tests" / "system" / "idp" / "package.json"
    npm = _program("npm")
    if not (npm and _program("node") and manifest.exists()):
        return ""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flower-tests"
    folder = caches / f"idp-{hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]}"
    if not folder.exists():
        caches.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(dir=caches))
        shutil.copy(manifest, place)
        words = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        done = subprocess.run(words, cwd=place, capture_output=True, timeout=100, check=False)
        with suppress(OSError):  # somebody else was quicker
            if done.returncode == 0:
                place.rename(folder)
        shutil.rmtree(place, ignore_errors=True)
    return str(folder) if folder.exists() else ""


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _program(*names: str) -> str:
    return next((found for name in names if (found := shutil.which(name))), "")
