"""What the source does when Redis refuses, hangs, dies or moves."""

# mypy: allow-untyped-calls
# celery and redis are annotated in part.

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from msgspec.structs import replace

from flower_plugins import ConfigurationError, Unavailable

StartRedis = Callable[..., tuple[int, subprocess.Popen[bytes]]]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Port of a server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def failure(exchange: Any) -> str:
    """Return why the source of this exchange cannot connect."""

    async def scenario() -> None:
        async with exchange.watched():
            pass

    with pytest.raises(Unavailable) as caught:
        asyncio.run(scenario())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret@127.0.0.1:1/0",
        "rediss://user:s3cret@127.0.0.1:1/0",
        "redis+socket://:s3cret@/nosuch/redis.sock",
        "redis://:s3cret@127.0.0.1:1/0;redis://:s3cret@127.0.0.1:2/0",
        "redis://:s3cret@host.invalid/0",
        "sentinel://:s3cret@127.0.0.1:1/0;sentinel://:s3cret@127.0.0.1:2/0",
    ],
)
def test_a_server_that_is_not_there_is_a_reason_without_a_password_r25(make_exchange: Any, url: str) -> None:
    reason = failure(make_exchange(url, master_name="main"))
    assert "cannot be reached" in reason
    assert "s3cret" not in reason


@pytest.mark.system
def test_credentials_that_are_refused_are_a_reason_r25(start_redis: StartRedis, make_exchange: Any) -> None:
    guarded, _ = start_redis("--requirepass", "right")
    for url in (f"redis://:s3cret@127.0.0.1:{guarded}/0", f"redis://ann:s3cret@127.0.0.1:{guarded}/0"):
        assert failure(make_exchange(url)) == f"Redis at 127.0.0.1:{guarded} refused the credentials"
    assert "refused the credentials" in failure(make_exchange(f"redis://127.0.0.1:{guarded}/0"))
    free, _ = start_redis()
    assert "refused the credentials" in failure(make_exchange(f"redis://:s3cret@127.0.0.1:{free}/0"))


@pytest.mark.system
def test_what_a_user_may_not_do_is_a_reason(start_redis: StartRedis, make_exchange: Any) -> None:
    port, _ = start_redis()
    client = redis.Redis(port=port)
    client.execute_command("ACL", "SETUSER", "eve", "on", ">s3cret", "resetchannels", "+@all")
    reason = failure(make_exchange(f"redis://eve:s3cret@127.0.0.1:{port}/0"))
    assert reason == f"Redis at 127.0.0.1:{port} refused to subscribe: NOPERM"
    client.close()


@pytest.mark.system
def test_tls_that_cannot_work_is_a_reason(
    start_redis: StartRedis, unused_port: Callable[[], int], certificate: tuple[Path, Path], make_exchange: Any
) -> None:
    public, key = certificate
    tls_port = unused_port()
    with_tls = ["--tls-cert-file", str(public), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
    start_redis("--tls-port", str(tls_port), *with_tls)
    url = f"rediss://localhost:{tls_port}/0"
    assert "certificate that is not trusted" in failure(make_exchange(f"{url}?ssl_cert_reqs=required"))
    assert "cannot be set up: No such file" in failure(make_exchange(f"{url}?ssl_ca_certs=/nosuch.pem"))


def test_a_prefix_that_cannot_be_used_is_refused_at_once(make_exchange: Any) -> None:
    with pytest.raises(ConfigurationError):
        make_exchange("redis://", fanout_prefix="/{nosuch}.").source()


@pytest.mark.parametrize("scheme", ["redis", "rediss", "sentinel"])
def test_a_silent_server_can_be_cancelled_at_any_time(
    make_exchange: Any, silent_port: int, wait_until: Any, scheme: str
) -> None:
    exchange = make_exchange(f"{scheme}://:pw@127.0.0.1:{silent_port}/0", master_name="main")

    async def scenario() -> None:
        run = asyncio.ensure_future(exchange.source().run(None))
        begun = time.monotonic()
        await wait_until(lambda: time.monotonic() - begun > 0.2)
        run.cancel()
        assert await wait_until(run.done) < 1.0
        assert run.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


@pytest.mark.parametrize("scheme", ["redis", "rediss", "sentinel"])
def test_a_silent_server_is_given_up_within_ten_seconds_r23(make_exchange: Any, silent_port: int, scheme: str) -> None:
    begun = time.monotonic()
    reason = failure(make_exchange(f"{scheme}://:pw@127.0.0.1:{silent_port}/0", master_name="main"))
    assert "did not answer in time" in reason or "cannot be reached" in reason
    assert time.monotonic() - begun < 10


@pytest.mark.system
def test_the_next_server_of_the_list_is_used(start_redis: StartRedis, make_exchange: Any, wait_until: Any) -> None:
    port, _ = start_redis()
    exchange = make_exchange(f"redis://127.0.0.1:1/0;redis://127.0.0.1:{port}/0")

    async def scenario() -> None:
        async with exchange.watched() as (watcher, _):
            await asyncio.to_thread(exchange.send, 2)
            await wait_until(lambda: len(watcher.bodies) == 2)

    asyncio.run(scenario())


@pytest.mark.system
def test_a_killed_server_ends_the_run_and_a_new_run_finds_its_successor_r20_r21(
    start_redis: StartRedis, make_exchange: Any, wait_until: Any
) -> None:
    port, process = start_redis()
    exchange = make_exchange(f"redis://127.0.0.1:{port}/0")

    async def scenario() -> None:
        async with exchange.watched() as (_, run):
            process.kill()
            await asyncio.wait({run}, timeout=2)
            with pytest.raises(Unavailable, match="closed the connection"):
                run.result()
        await asyncio.to_thread(process.wait)
        await asyncio.to_thread(start_redis, port=port)
        async with exchange.watched() as (watcher, _):
            await asyncio.to_thread(exchange.send, 1)
            await wait_until(lambda: len(watcher.bodies) == 1)

    asyncio.run(scenario())


@pytest.mark.system
def test_a_server_that_hangs_is_noticed_within_ten_seconds_r23(start_redis: StartRedis, make_exchange: Any) -> None:
    port, process = start_redis()
    exchange = make_exchange(f"redis://127.0.0.1:{port}/0")

    async def scenario() -> None:
        async with exchange.watched() as (_, run):
            process.send_signal(signal.SIGSTOP)
            begun = time.monotonic()
            await asyncio.wait({run}, timeout=10)
            assert 4 < time.monotonic() - begun < 10
            with pytest.raises(Unavailable, match="does not answer"):
                run.result()

    asyncio.run(scenario())


@pytest.mark.system
def test_a_quiet_server_is_no_fault(
    start_redis: StartRedis, make_exchange: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an event for many times what a hanging server is given."""
    monkeypatch.setattr("flower_broker_redis.events._PING_SECONDS", 0.1)
    port, _ = start_redis()
    exchange = make_exchange(f"redis://127.0.0.1:{port}/0")

    async def scenario() -> None:
        async with exchange.watched() as (watcher, run):
            await asyncio.wait({run}, timeout=1.5)
            await asyncio.to_thread(exchange.send, 1)
            await wait_until(lambda: len(watcher.bodies) == 1)

    asyncio.run(scenario())


@pytest.mark.system
def test_a_subscription_killed_by_an_administrator_ends_the_run_r27(
    start_redis: StartRedis, make_exchange: Any
) -> None:
    port, _ = start_redis()
    client = redis.Redis(port=port)
    exchange = make_exchange(f"redis://127.0.0.1:{port}/0")

    async def scenario() -> None:
        async with exchange.watched() as (_, run):
            assert client.execute_command("CLIENT", "KILL", "TYPE", "pubsub") == 1
            await asyncio.wait({run}, timeout=2)
            with pytest.raises(Unavailable, match="closed the connection"):
                run.result()

    asyncio.run(scenario())
    client.close()


def start_sentinel(start_redis: StartRedis, folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """Start master, replica and sentinel; return the broker URL and the master's process."""
    port, master = start_redis()
    client = redis.Redis(port=port)
    start_redis("--replicaof", f"127.0.0.1 {port}", "--repl-diskless-sync-delay", "0")
    deadline = time.monotonic() + 15
    # Sentinel asks for replicas when it starts, and then not for ten seconds.
    while client.info("replication").get("slave0", {}).get("state") != "online":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    client.close()
    config = folder / "sentinel.conf"
    lines = [f"monitor main 127.0.0.1 {port} 1", "down-after-milliseconds main 500", "failover-timeout main 3000"]
    config.write_text("".join(f"sentinel {line}\n" for line in lines))
    guard, _ = start_redis(str(config), "--sentinel")
    return f"sentinel://127.0.0.1:{guard}/2", master


@pytest.mark.system
def test_a_failover_is_followed_within_fifteen_seconds_r26(
    start_redis: StartRedis, tmp_path: Path, make_exchange: Any, wait_until: Any
) -> None:
    url, master = start_sentinel(start_redis, tmp_path)
    exchange = make_exchange(url, master_name="main")
    # Only the second sentinel is alive; kombu, which sends here, would try the first for seconds.
    exchange.broker = replace(exchange.broker, url=f"sentinel://127.0.0.1:1/2;{url}")

    async def again() -> None:
        async with exchange.watched() as (watcher, _):
            await asyncio.to_thread(exchange.send, 1)
            await wait_until(lambda: len(watcher.bodies) == 1)

    async def scenario() -> None:
        async with exchange.watched() as (watcher, run):
            await asyncio.to_thread(exchange.send, 5)
            await wait_until(lambda: len(watcher.bodies) == 5)
            master.kill()
            begun = time.monotonic()
            await asyncio.wait({run}, timeout=2)
            with pytest.raises(Unavailable):
                run.result()
        while time.monotonic() - begun < 15:
            with suppress(Unavailable):
                await again()
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the new master was not found")

    asyncio.run(scenario())


@pytest.mark.system
def test_messages_on_the_old_and_the_new_channel_are_received_once(
    start_redis: StartRedis, tmp_path: Path, make_exchange: Any, wait_until: Any
) -> None:
    url, _ = start_sentinel(start_redis, tmp_path)
    new = make_exchange(url, master_name="main", sentinel_fanout_compat=True)
    old = make_exchange(url, master_name="main", fanout_prefix="/{{db}}.")
    old.app.conf.event_exchange = new.app.conf.event_exchange

    async def scenario() -> None:
        async with new.watched() as (watcher, _):
            await asyncio.to_thread(new.send, 10)
            await asyncio.to_thread(old.send, 1)
            await wait_until(lambda: len(watcher.bodies) == 11)
            await asyncio.to_thread(old.send, 1)
            await wait_until(lambda: len(watcher.bodies) == 12)

    asyncio.run(scenario())
