"""Settings in environment variables, and what is known of the variables that set nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, field

from flower.settings.catalogue import Catalogue, variable
from flower.settings.names import (
    FIRST_PARTY,
    PROVIDER_ENVIRONMENT,
    RESERVED,
    closest,
    resembling,
)
from flower.settings.options import UNAUTHENTICATED_API
from flower.settings.values import BOOLEANS
from flower_plugins import ConfigurationError, Option

__all__ = ["Environment", "read", "strangers", "unauthenticated_api"]

_PREFIX = "FLOWER_"
_FILE = "_FILE"


class Environment(Struct):
    """Texts by option name, each with the words that say where it was found; `empty` variables set nothing.

    `files` are the paths of secrets that came from files.
    """

    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def read(environ: Mapping[str, str], catalogue: Catalogue) -> Environment:
    """Find the variables that set an option, by value or, for secrets, by the name of a file.

    Raise ConfigurationError for a secret that is set twice or whose file cannot be read.
    """
    found = Environment()
    for name, option in catalogue.variables.items():
        text = environ.get(name)
        if text is None or option.name in found.texts:
            continue
        if not text.strip() and not _empty_counts(option, catalogue):
            found.empty.append(name)
            continue
        if _kubernetes(name, text):
            found.warnings.append(
                f"{name} in the environment is ignored: its value comes from a Kubernetes service of that name"
            )
        else:
            found.texts[option.name] = (text, f"{name} in the environment")
    for option in catalogue.values():
        name = variable(option.name) + _FILE
        if option.secret and name in environ and name not in catalogue.variables:
            _read_secret(option, name, environ[name], found)
    return found


def unauthenticated_api(environ: Mapping[str, str]) -> bool:
    """Tell whether the API is open without authentication. Raise ConfigurationError for a value that says neither."""
    text = environ.get(UNAUTHENTICATED_API)
    if text is None or not text.strip():
        return False
    try:
        return BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ConfigurationError(
            f"{UNAUTHENTICATED_API}: '{text}' is neither true nor false",
            where="environment",
            mend="Set it to true or false, or remove it",
        ) from None


def strangers(environ: Mapping[str, str], catalogue: Catalogue, given: Collection[str]) -> list[str]:
    """Return a warning for each variable that looks like a setting and is none.

    Raise ConfigurationError where it resembles a security option that was not `given`, or is one that
    no active plugin claims.
    """
    names = sorted(name for name in environ if name.startswith(_PREFIX) and name not in catalogue.variables)
    return [warning for name in names if (warning := _judge(name, environ[name], catalogue, given))]


def _judge(name: str, text: str, catalogue: Catalogue, given: Collection[str]) -> str:
    option = name[len(_PREFIX) :].lower()
    where = f"{name} in the environment"
    if name == UNAUTHENTICATED_API or _names_service(name) or _kubernetes(name, text):
        return ""
    if name.endswith(_FILE) and (secret := catalogue.get(option[: -len(_FILE)])) and secret.secret:
        return ""
    if name in PROVIDER_ENVIRONMENT:
        return f"{where} has no effect: it belongs to login through an identity provider"
    if option in RESERVED:
        raise RESERVED[option].refusal(option, where)
    if option in FIRST_PARTY:
        return FIRST_PARTY[option].warning(where)
    security = resembling(option, catalogue.security)
    if security and security not in given:
        raise ConfigurationError(
            f"unknown variable {name}, which resembles {variable(security)}",
            where="environment",
            mend="Correct or remove it: ignoring it might leave Flower open",
        )
    guess = closest(option, (known for known in catalogue if variable(known) in catalogue.variables))
    return f"{where} is ignored: there is no such option" + (f". Did you mean {variable(guess)}?" if guess else "")


def _read_secret(option: Option, name: str, path: str, found: Environment) -> None:
    where = f"{name} in the environment"
    if option.name in found.texts:
        raise ConfigurationError(
            f"{option.name} is set twice", where=f"{found.texts[option.name][1]}, {where}", mend="Remove one of them"
        )
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"cannot read the file of {option.name}, {path}: {reason}", where=where) from None
    found.files[option.name] = path
    found.texts[option.name] = (",".join(lines) if option.multiple else "\n".join(lines), where)


def _empty_counts(option: Option, catalogue: Catalogue) -> bool:
    """Tell whether an empty text is a value: of an address it is one, and a security option must not go missing."""
    return option.name in catalogue.security or (option.type is str and option.default == "")


def _names_service(name: str) -> bool:
    """Recognise the names Kubernetes makes from a service, which are never typing errors."""
    return "_SERVICE_" in name or "_PORT_" in name


def _kubernetes(name: str, text: str) -> bool:
    """Recognise a service's address, which Kubernetes puts where a port number is expected."""
    return name.endswith("_PORT") and text.lower().startswith(("tcp://", "udp://", "sctp://"))
