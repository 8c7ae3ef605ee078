"""Settings in two phases: a peek that tells which plugins to load, then everything with their options."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from flower.settings import configfile, environment, leftovers, values
from flower.settings.catalogue import Catalogue
from flower.settings.configfile import ConfigFile
from flower.settings.effective import EffectiveSettings, Origin
from flower.settings.options import COMMANDS
from flower.settings.words import COMMAND_LINE, Words, read
from flower_plugins import ConfigurationError, Option

__all__ = ["Early", "load", "peek"]

log = logging.getLogger(__name__)


class Early(Struct, frozen=True):
    """What has to be known before plugins are loaded.

    `allowed` is None when every installed plugin may load. `plugins` is "text" or "json" when the
    plugins are to be listed, else empty.
    """

    help: bool = False
    version: bool = False
    plugins: str = ""
    disabled: tuple[str, ...] = ()
    allowed: tuple[str, ...] | None = None
    file: ConfigFile = field(default_factory=ConfigFile)


def peek(words: Sequence[str], environ: Mapping[str, str], cwd: str) -> Early:
    """Execute flowerconfig.py and read the options that decide which plugins are loaded.

    A command line that asks for help or the version gets it even where the file cannot be used.
    """
    catalogue = Catalogue()
    typed = read(words, catalogue)
    asked = {name: _from_words(catalogue[name], typed) for name in ("help", "version", "plugins")}
    wants_help, wants_version = (bool(one and one.value) for one in (asked["help"], asked["version"]))
    if wants_version and not wants_help:
        return Early(version=True)
    try:
        file = _file(typed, environ, cwd, catalogue)
        found = environment.read(environ, catalogue)
        settings = EffectiveSettings(catalogue, _origins(catalogue, typed, file, found))
    except ConfigurationError:
        if not wants_help:
            raise
        return Early(help=True)
    return Early(
        help=wants_help,
        plugins=asked["plugins"].value if asked["plugins"] else "",
        disabled=settings["disable_plugin"],
        allowed=settings["plugins_allowed"] if settings.given("plugins_allowed") else None,
        file=file,
    )


def load(
    words: Sequence[str],
    *,
    options: Sequence[tuple[str, Option]],
    environ: Mapping[str, str],
    cwd: str,
    early: Early | None = None,
    alone: bool = False,
) -> EffectiveSettings:
    """Return the effective settings: command line over config file over environment over default.

    `options` are the plugins' options with the plugin's name. `early` is what `peek` returned, so that
    flowerconfig.py is not executed again. `alone` says that the program is called `flower`: then there is
    no better place for Celery's options. Raise ConfigurationError for what cannot be honoured.
    """
    file = (early or peek(words, environ, cwd)).file
    catalogue = Catalogue(options)
    typed = read(words, catalogue)
    found = environment.read(environ, catalogue)
    for name in found.empty:
        log.debug("%s in the environment is empty and sets nothing", name)
    leftovers.refuse(typed, words, catalogue)
    origins = _origins(catalogue, typed, file, found)
    warnings = [
        *leftovers.warn(typed, catalogue, alone=alone),
        *leftovers.warn_of_file(file, catalogue, origins),
        *file.warnings,
        *found.warnings,
        *environment.strangers(environ, catalogue, origins),
        *(f"option {no.option} of plugin {no.plugin} is refused: {no.reason}" for no in catalogue.refused),
    ]
    settings = EffectiveSettings(
        catalogue,
        origins,
        unauthenticated_api=environment.unauthenticated_api(environ),
        celery_overrides=dict(typed.celery),
        file_globals=file.globals,
        file_path=file.path,
        secret_files={name: path for name, path in found.files.items() if origins[name].where == found.texts[name][1]},
        warnings=warnings,
    )
    _refuse_unavailable(settings)
    _refuse_contradictions(settings)
    return settings


def _file(typed: Words, environ: Mapping[str, str], cwd: str, catalogue: Catalogue) -> ConfigFile:
    option = catalogue["conf"]
    if texts := typed.texts("conf"):
        return configfile.execute(texts[-1], explicit=True, where=COMMAND_LINE, cwd=cwd)
    if environ.get("FLOWER_CONF", "").strip():
        where = "FLOWER_CONF in the environment"
        return configfile.execute(environ["FLOWER_CONF"], explicit=True, where=where, cwd=cwd)
    return configfile.execute(option.default, explicit=False, where="default", cwd=cwd)


def _origins(catalogue: Catalogue, typed: Words, file: ConfigFile, found: environment.Environment) -> dict[str, Origin]:
    origins: dict[str, Origin] = {}
    for name, option in catalogue.items():
        origin = _from_words(option, typed) or _from_file(option, file) or _from_environment(option, found)
        if origin is None:
            continue
        if option.claims and values.empty(origin.value):
            raise ConfigurationError(f"{name} is empty", where=origin.where, mend="Give it a value or leave it out")
        origins[name] = origin
    return origins


def _from_words(option: Option, typed: Words) -> Origin | None:
    texts = typed.texts(option.name)
    if not texts:
        return None
    try:
        return Origin(values.parse(option, texts), COMMAND_LINE)
    except ValueError as error:
        raise _unusable(option, error, COMMAND_LINE) from None


def _from_file(option: Option, file: ConfigFile) -> Origin | None:
    # The file cannot name itself, and what to do this once is said on the command line.
    if option.name not in file.globals or option.name in COMMANDS or option.name == "conf":
        return None
    value = file.globals[option.name]
    if value is None:
        # None is Python's "not set", except for an address, where it is documented as "every interface".
        if option.default != "" or option.type is not str:
            return None
        value = ""
    where = file.where(option.name)
    try:
        return Origin(values.adopt(option, value), where)
    except ValueError as error:
        raise _unusable(option, error, where) from None


def _from_environment(option: Option, found: environment.Environment) -> Origin | None:
    if option.name not in found.texts:
        return None
    text, where = found.texts[option.name]
    try:
        return Origin(values.parse(option, [text]), where)
    except ValueError as error:
        raise _unusable(option, error, where) from None


def _unusable(option: Option, error: ValueError, where: str) -> ConfigurationError:
    example = "" if option.secret or option.default in (None, "", ()) else f", like {option.default}"
    return ConfigurationError(
        f"{option.name}: {error}", where=where, mend=f"Give another value{example}, or leave {option.name} out"
    )


def _refuse_unavailable(settings: EffectiveSettings) -> None:
    for name, origin in settings.origins.items():
        option = settings.catalogue[name]
        if option.unavailable and values.effective(option, origin.value):
            raise ConfigurationError(f"{name} cannot be used", where=origin.where, mend=option.unavailable)


def _refuse_contradictions(settings: EffectiveSettings) -> None:
    for one, other in (("certfile", "keyfile"), ("keyfile", "certfile"), ("ca_certs", "certfile")):
        if settings[one] and not settings[other]:
            raise ConfigurationError(
                f"{one} is set without {other}",
                where=settings.origin(one),
                mend="Both 'certfile' and 'keyfile' are required to enable SSL",
            )
