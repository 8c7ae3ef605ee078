"""The language of `--auth`: who may enter, by e-mail address. Matched piece by piece, never as a regular expression."""

from __future__ import annotations

import re
import string

from msgspec import Struct

from flower_plugins import ConfigurationError

__all__ = ["AuthPattern"]

_ATOM = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~.")  # RFC 5322, 3.2.3, and the dot
_PLAIN = frozenset(string.ascii_letters + string.digits + "!#%&'+-/=_`~.")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_MEND = (
    "Accepted are me@example.com, .*@example.com, team-.*@example.com, and several of these joined by |; "
    "a dot stands for itself, .* for any run of characters before the @, and \\ makes the next sign literal"
)
_WILD = object()


class _Alternative(Struct, frozen=True):
    """One address: `head` and `tail` of the part before the @, `domain` in lower case; no `domain` for a plain name."""

    head: str
    tail: str | None
    domain: str | None

    def matches(self, local: str, domain: str | None) -> bool:
        if not local or domain != self.domain:
            return False
        if self.tail is None:
            return local == self.head
        fits = len(local) >= len(self.head) + len(self.tail)
        if not (fits and local.startswith(self.head) and local.endswith(self.tail)):
            return False
        return _ATOM.issuperset(local[len(self.head) : len(local) - len(self.tail)])


class AuthPattern:
    """Addresses that may enter, such as `a@x.com|b@x.com` or `.*@example.com`.

    The part after the @ is compared without regard to case (ASCII letters only), all else exactly.
    """

    def __init__(self, text: str, where: str = "auth") -> None:
        """Raise ConfigurationError for what would match nobody, or everybody, or is meant as more than this."""
        self._where, self._text = where, text
        self._alternatives = [self._alternative(part) for part in _split(text)]

    def matches(self, name: str) -> bool:
        """Tell whether somebody of that verified address, or name, may enter."""
        local, at, domain = name.partition("@")
        if "@" in domain:
            return False
        place = domain.translate(_LOWER) if at else None
        return any(alternative.matches(local, place) for alternative in self._alternatives)

    def _alternative(self, text: str) -> _Alternative:
        signs = self._signs(text)
        if not signs:
            raise self._refusal("one of its alternatives is empty")
        places = [place for place, sign in enumerate(signs) if sign == "@"]
        if len(places) > 1:
            raise self._refusal(f"{text!r} has more than one @")
        local = signs[: places[0]] if places else signs
        wild = [place for place, sign in enumerate(local) if sign is _WILD]
        if len(wild) > 1:
            raise self._refusal(f"{text!r} has .* more than once before the @")
        if wild and not places:
            raise self._refusal(f"{text!r} has no @ after .*, so it would let in addresses of any domain")
        domain = self._domain(text, signs[places[0] + 1 :]) if places else None
        if not local:
            raise self._refusal(f"{text!r} has nothing before the @")
        if not wild:
            return _Alternative("".join(map(str, local)), None, domain)
        head, tail = local[: wild[0]], local[wild[0] + 1 :]
        return _Alternative("".join(map(str, head)), "".join(map(str, tail)), domain)

    def _domain(self, text: str, signs: list[object]) -> str:
        domain = "".join("*" if sign is _WILD else str(sign) for sign in signs)
        labels = domain.split(".")
        if not all(label and all(sign.isalnum() or sign in "-_" for sign in label) for label in labels):
            raise self._refusal(f"what follows the @ in {text!r} is not a domain")
        return domain.translate(_LOWER)

    def _signs(self, text: str) -> list[object]:
        """Return the signs of an alternative, `.*` as one of its own."""
        signs: list[object] = []
        place = 0
        while place < len(text):
            sign, following = text[place], text[place + 1 : place + 2]
            place += 1
            if sign == "\\":
                if not following or following.isalnum() or following.isspace():
                    raise self._refusal(f"\\{following} in {text!r} has no meaning")
                signs.append(following)
                place += 1
            elif sign == "." and following == "*":
                signs.append(_WILD)
                place += 1
            elif sign == "." and following and following in "+?{":
                raise self._refusal(f".{following} in {text!r} has no meaning")
            elif sign == "@" or sign in _PLAIN or (not sign.isascii() and sign.isalnum()):
                signs.append(sign)
            else:
                raise self._refusal(f"{sign!r} in {text!r} has no meaning")
        return signs

    def _refusal(self, why: str) -> ConfigurationError:
        return ConfigurationError(f"Invalid '--auth' option: {self._text}: {why}", where=self._where, mend=_MEND)


def _split(text: str) -> list[str]:
    """Split at each | that no backslash makes literal."""
    return re.split(r"(?<!\\)\|", text)
