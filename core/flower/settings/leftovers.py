"""What was written and sets nothing: refused where it could be a mistake that matters, else warned of."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from celery.app.defaults import _TO_NEW_KEY, SETTING_KEYS

from flower.settings.catalogue import Catalogue, variable
from flower.settings.configfile import ConfigFile
from flower.settings.names import CELERY, FIRST_PARTY, RESERVED, closest, resembling
from flower.settings.options import COMMANDS
from flower.settings.words import COMMAND_LINE, Typed, Words
from flower_plugins import ConfigurationError

__all__ = ["refuse", "warn", "warn_of_file"]

_SLIP = 2  # characters too many or too few


def refuse(typed: Words, words: Sequence[str], catalogue: Catalogue) -> None:
    """Raise ConfigurationError for unknown options, stray words, and security options nobody handles."""
    for option in typed.absent:
        if option.name in RESERVED:
            raise RESERVED[option.name].refusal(option.name, COMMAND_LINE)
    for option in typed.unknown:
        raise ConfigurationError(
            f"unknown option {option.flag}", where=COMMAND_LINE, mend=_suggestion(option, catalogue)
        )
    for position in typed.stray:
        raise ConfigurationError(
            f"unexpected {_shown(words[position])} after flower",
            where=COMMAND_LINE,
            mend="Write options as --name=value; celery flower --help lists them",
        )


def warn(typed: Words, catalogue: Catalogue, *, alone: bool) -> list[str]:
    """Return the warnings that a command line deserves.

    `alone` says that the program is called `flower`, so that nothing can stand before that word.
    """
    warnings = []
    levels = [flag for flag in typed.misplaced if _sets_level(flag)]
    if misplaced := [flag for flag in typed.misplaced if flag not in levels]:
        warnings.append(
            f"You have incorrectly specified the following celery arguments after flower command: {misplaced}. "
            "Please specify them after celery command instead following this template: "
            "celery [celery args] flower [flower args]."
        )
    if levels:
        warnings.append(f"Ignored {', '.join(levels)} after flower; the level of Flower's own log is --logging=LEVEL")
    if typed.applied and not alone:
        flags = ", ".join(typed.applied)
        better = "celery " + " … ".join([*typed.applied, "flower"])
        warnings.append(f"Applied {flags} after flower; Celery's own options belong before it: {better}")
    if typed.stray_broker and not alone:
        warnings.append("Used a URL after flower as the broker; better write celery --broker=URL flower")
    warnings.extend(FIRST_PARTY[option.name].warning(option.flag) for option in typed.absent)
    secrets = dict.fromkeys(option.name for option in typed.settings if catalogue[option.name].secret)
    warnings.extend(
        f"{name} on the command line can be read by every user of this machine; "
        f"better set {_variables(name, catalogue)} or {name} in flowerconfig.py"
        for name in secrets
    )
    return warnings


def _variables(name: str, catalogue: Catalogue) -> str:
    """Return the variables that may hold a secret, or the name of its file unless that is an option of its own."""
    file = f"{variable(name)}_FILE"
    return variable(name) if file in catalogue.variables else f"{variable(name)}, {file}"


def warn_of_file(file: ConfigFile, catalogue: Catalogue, given: Collection[str]) -> list[str]:
    """Return warnings about globals that belong to absent plugins or look like a misspelled option.

    Raise ConfigurationError for those that are, or resemble, a security option that is not in effect.
    """
    warnings = []
    for name, value in file.plain().items():
        if name in catalogue or value is None:
            continue
        if name in RESERVED:
            raise RESERVED[name].refusal(name, file.where(name))
        if name in FIRST_PARTY:
            warnings.append(FIRST_PARTY[name].warning(file.where(name)))
        elif security := resembling(name, catalogue.security, cutoff=0.9):
            if security not in given:
                raise ConfigurationError(
                    f"{name} is no option, but resembles {security}",
                    where=file.where(name),
                    mend="Correct or rename it: ignoring it might leave Flower open",
                )
        elif guess := _misspelled(name, value, catalogue):
            warnings.append(f"{file.where(name)} is not an option. Did you mean {guess}?")
    return warnings


def _sets_level(flag: str) -> bool:
    """Recognise `-l`, `--loglevel` and levels that are attached, which are the only flags Celery does not list."""
    bare = re.sub(r"^\W+", "", flag).replace("-", "_")  # dashes of any kind
    return bare in ("l", "loglevel") or bare not in CELERY


def _misspelled(name: str, value: object, catalogue: Catalogue) -> str | None:
    """Return the option that a global of flowerconfig.py is one slip away from; helpers have names of their own."""
    celery = name in SETTING_KEYS or name in _TO_NEW_KEY
    if celery or not name.islower() or not isinstance(value, (str, int, float, list, tuple)):
        return None
    settable = [known for known in (*catalogue, *FIRST_PARTY) if known not in COMMANDS and known != "conf"]
    return closest(name, (known for known in settable if abs(len(known) - len(name)) <= _SLIP), cutoff=0.75)


def _suggestion(option: Typed, catalogue: Catalogue) -> str:
    guess = closest(option.name, [*catalogue, *FIRST_PARTY, *RESERVED])
    return f"Did you mean --{guess}?" if guess else "celery flower --help lists all of them"


def _shown(word: str) -> str:
    """Quote a word unless it could be a credential that lost its option."""
    return f"word '{word}'" if re.fullmatch(r"[\w./-]{1,40}", word) else "word"
