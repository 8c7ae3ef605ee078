"""Core's own options: the single place that declares their names, types, defaults and help."""

from __future__ import annotations

from typing import Final

from flower.settings import checks
from flower_plugins import Option

__all__ = ["BARE", "COMMANDS", "CORE", "UNAUTHENTICATED_API"]

UNAUTHENTICATED_API: Final = "FLOWER_UNAUTHENTICATED_API"
"""The environment variable that opens `/api/*` without authentication; it never was an option."""

COMMANDS: Final = frozenset({"check", "help", "version", "plugins", "demo"})
"""Options that say what to do this once: the command line alone may hold them."""

BARE: Final = {"check": "text", "plugins": "text"}
"""What an option of another type than bool means when it stands without a value."""

_SERVER = (
    Option(
        "address",
        default="",
        help="Listen on this address or host name; empty means every interface. Left out, and without authentication, "
        "Flower listens for this machine alone, except in a container.",
    ),
    Option("port", int, 5555, "Listen on this port; 0 picks a free one.", check=checks.tcp_port),
    Option("unix_socket", default="", help="Listen on a Unix socket at this path instead.", check=checks.path),
    Option(
        "unix_socket_mode", default="0660", help="Permissions of the socket, in octal digits.", check=checks.octal_mode
    ),
    Option("url_prefix", help="Serve under this path instead of /.", check=checks.prefix),
    Option("certfile", help="TLS certificate, PEM.", check=checks.path),
    Option("keyfile", help="Key of the TLS certificate, PEM.", check=checks.path),
    Option("ca_certs", help="Demand client certificates signed by these authorities, PEM.", check=checks.path),
    Option("xheaders", bool, False, "Trust X-Forwarded-For, X-Real-Ip and their like from trusted proxies."),
    Option(
        "trusted_proxies",
        default=(),
        multiple=True,
        help="Addresses or networks whose forwarding headers count; loopback and private ones when left out.",
        check=checks.network,
    ),
    Option(
        "allowed_hosts",
        default=(),
        multiple=True,
        help="More host names under which Flower may be asked for when no authentication is configured.",
    ),
    Option(
        "max_connections_per_address",
        int,
        256,
        "Connections that one address may have open; this machine and trusted proxies may have any number.",
        check=checks.at_least(1),
    ),
    Option(
        "hsts",
        int,
        0,
        "Tell browsers that came by https to come by nothing else for this many seconds; 0 tells them nothing.",
        check=checks.at_least(0),
    ),
)

_ACCESS = (
    Option("read_only", bool, False, "Refuse every operation on workers and tasks."),
    Option(
        "auth",
        default="",
        help="E-mail addresses that may log in: me@example.com, .*@example.com, several joined by |.",
    ),
    Option(
        "auth_provider",
        help="Who vouches for people that log in: google, github, gitlab, okta, or the path of a handler of your own; "
        "google when left out.",
    ),
    Option("oauth2_key", help="OAuth client id."),
    Option("oauth2_secret", secret=True, help="OAuth client secret."),
    Option(
        "oauth2_redirect_uri",
        help="Where the provider sends people back to: the address of Flower's login page, "
        "https://flower.example.com/login.",
    ),
    Option(
        "cookie_secret",
        default=(),
        multiple=True,
        secret=True,
        help="Sign cookies with this, of 32 bytes or more; give every replica the same. Of several the first signs "
        "and all count.",
    ),
    Option("session_idle", int, 28_800, "Seconds without a visit that end a session.", check=checks.at_least(60)),
    Option("session_lifetime", int, 604_800, "Seconds after which one logs in again.", check=checks.at_least(60)),
    Option(
        "data_dir",
        default="",
        help="Keep what logins need across restarts in this folder; left out, beside DB with --persistent, else in "
        "memory.",
        check=checks.path,
    ),
    Option(
        "metrics_auth",
        default="open",
        choices=("open", "same", "token"),
        help="Who may read /metrics: everybody, who may read pages, or who sends metrics_token.",
    ),
    Option(
        "metrics_token",
        secret=True,
        help="Let in who sends Authorization: Bearer with this; at least 16 characters.",
        check=checks.token,
    ),
)

_CLUSTER = (
    Option("max_workers", int, 5000, "Workers kept in memory.", check=checks.at_least(1)),
    Option("max_tasks", int, 100_000, "Tasks kept in memory.", check=checks.at_least(1)),
    Option("enable_events", bool, True, "Tell workers every few seconds to send events."),
    Option("event_source", default="", help="Receive events in this way; chosen by the broker's URL when left out."),
    Option("inspect", bool, True, "Ask workers about themselves; when off, pages live from events alone."),
    Option(
        "inspect_timeout",
        float,
        1000.0,
        "Wait this many milliseconds for workers' answers.",
        check=checks.positive,
    ),
    Option(
        "purge_offline_workers",
        int,
        help="Hide workers offline for this many seconds; 0 hides them at once, left out keeps them.",
        check=checks.at_least(0),
    ),
    Option(
        "format_task", object, help="Function that changes what is kept and shown of a task.", check=checks.function
    ),
    Option(
        "task_runtime_metric_buckets",
        float,
        (),
        "Upper bounds, in seconds, of the runtime histogram's buckets; the exporter's own when left out.",
        multiple=True,
    ),
    Option(
        "queue_history",
        bool,
        True,
        "Look at the queues every 10 seconds and remember their lengths for a day, in memory.",
    ),
)

_RUNNING = (
    Option("conf", default="flowerconfig.py", help="Read settings from this Python file."),
    Option("disable_plugin", default=(), multiple=True, help="Leave these installed plugins out."),
    Option("plugins_allowed", default=(), multiple=True, help="Load no other plugins than these."),
    Option("debug", bool, False, "Log in detail, requests included."),
    Option("plugins", choices=("text", "json"), help="Print the plugins found, as text or JSON, and exit."),
    Option(
        "check",
        choices=("text", "json", "deploy"),
        help="Print who would get in and what is not safe, and exit; =deploy with exit code 1 where something is not.",
    ),
    Option("demo", bool, False, "Show a living cluster: start a throwaway broker, workers and traffic."),
    Option("help", bool, False, "Print this and exit."),
    Option("version", bool, False, "Print the versions of Flower and Celery and exit."),
)

_LOGGING = (
    Option(
        "logging",
        default="info",
        choices=("debug", "info", "warning", "error", "critical", "none"),
        help="Log from this level on; none leaves Python's logging as it is.",
    ),
    Option("log_to_stderr", bool, help="Log to stderr; on when left out and nothing else is configured."),
    Option("log_file_prefix", help="Log to this file.", check=checks.path),
    Option("log_file_max_size", int, 100_000_000, "Rotate the log file at this many bytes.", check=checks.at_least(0)),
    Option("log_file_num_backups", int, 10, "Keep this many rotated log files.", check=checks.at_least(0)),
    Option("log_rotate_mode", default="size", choices=("size", "time"), help="Rotate the log file by size or time."),
    Option("log_rotate_when", default="midnight", help="Unit of rotation by time.", check=checks.rotation),
    Option("log_rotate_interval", int, 1, "Rotate by time every so many units.", check=checks.at_least(1)),
)

CORE: Final[tuple[Option, ...]] = _SERVER + _ACCESS + _CLUSTER + _RUNNING + _LOGGING
"""Every option that core declares, in the order help shows them."""
