"""What `--check` prints: who gets in, and what is not safe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flower import __version__
from flower.web.policy import Visitor, judge
from flower.web.server import tls_context

if TYPE_CHECKING:
    from flower.app import Flower

__all__ = ["as_json", "as_text", "describe"]

_API = {"login": "needs a login", "closed": "closed", "open": "open to everybody, by FLOWER_UNAUTHENTICATED_API"}
_METRICS = {"open": "open to everybody", "same": "the same login as for pages", "token": "who sends metrics_token"}


def describe(flower: Flower, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """Return the effective posture as data fit for JSON. Raise ConfigurationError for an unusable certificate."""
    settings, binding, posture = flower.settings, flower.binding, flower.posture
    tls = tls_context(settings) is not None and not binding.unix_socket
    return {
        "version": __version__,
        "listens": _places(flower),
        "reach": "unix socket" if binding.unix_socket else "this machine" if binding.loopback_only else "network",
        "login": [provider.name or type(provider).__name__ for provider in flower.providers],
        "api": "login" if posture.authenticated else "open" if posture.open_api else "closed",
        "actions": _actions(flower),
        "read_only": posture.read_only,
        "tls": tls,
        "client_certificates": bool(tls and settings["ca_certs"]),
        "proxies": [*settings["trusted_proxies"], *_default_proxies(settings)] if settings["xheaders"] else [],
        "cookie_secret": settings.origin("cookie_secret") if settings["cookie_secret"] else "made at every start",
        "metrics": settings["metrics_auth"],
        "plugins_failed": [
            {"name": each.name, "error": " ".join(each.error.split())}
            for each in flower.registry.reports()
            if each.error
        ],
        "settings_file": settings.file_path,
        "warnings": list(warnings),
        "insecure": [
            {key: value for key, value in each._asdict().items() if key != "banner"} for each in posture.weaknesses()
        ],
    }


def as_json(found: Mapping[str, Any]) -> str:
    """Return one object."""
    return json.dumps(found, indent=2)


def as_text(found: Mapping[str, Any]) -> str:
    """Return a line for each fact, and three for each weakness."""
    rows = [
        ("Listens on", f"{', '.join(found['listens'])} ({_reach(found['reach'])})"),
        ("Login", " and ".join(found["login"]) or "none: nobody has to log in"),
        ("API", _API[found["api"]]),
        ("Actions", found["actions"]),
        ("TLS", _tls(found)),
        ("Proxies", f"trusted: {', '.join(found['proxies'])}" if found["proxies"] else "their headers are ignored"),
        ("Cookie secret", found["cookie_secret"]),
        ("Metrics", _METRICS[found["metrics"]]),
        ("Settings file", found["settings_file"] or "none"),
        ("Plugins failed", "; ".join(f"{each['name']}: {each['error']}" for each in found["plugins_failed"]) or "none"),
    ]
    lines = [f"Flower {found['version']} would start like this:", ""]
    lines += [f"  {label + ':':<16}{value}" for label, value in rows]
    lines += _section("Warnings", [[warning] for warning in found["warnings"]])
    insecure = [[each["reason"], f"  {each['text']}", f"  {each['mend']}"] for each in found["insecure"]]
    return "\n".join([*lines, *(_section("Not safe", insecure) or ["", "Nothing is known that is not safe."])])


def _section(title: str, entries: Iterable[Iterable[str]]) -> list[str]:
    lines = [f"  {line}" for entry in entries for line in entry]
    return ["", f"{title}:", *lines] if lines else []


def _places(flower: Flower) -> list[str]:
    binding = flower.binding
    if binding.unix_socket:
        return [binding.unix_socket]
    return [_place(address, binding.port) for address in binding.addresses]


def _place(address: str, port: int) -> str:
    host = f"[{address}]" if ":" in address else address or "every interface"
    return f"{host}, port {port or 'any'}" if not address else f"{host}:{port or 'any'}"


def _reach(reach: str) -> str:
    return {"this machine": "this machine only", "network": "other machines too", "unix socket": "a Unix socket"}[reach]


def _actions(flower: Flower) -> str:
    """Return who may act on tasks and workers from the pages."""
    refusal = judge(Visitor(None, local=True), "write", "page", flower.posture)
    if flower.posture.read_only:
        return "refused: read-only"
    if flower.posture.authenticated:
        return "who is logged in"
    return "nobody" if refusal else "everybody" if flower.posture.open_api else "browsers on this machine"


def _tls(found: Mapping[str, Any]) -> str:
    if not found["tls"]:
        return "no"
    return "yes, and clients need a certificate" if found["client_certificates"] else "yes"


def _default_proxies(settings: Any) -> Sequence[str]:
    return () if settings["trusted_proxies"] else ("loopback and private addresses",)
