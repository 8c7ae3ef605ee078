"""Names of the pub/sub channels on which kombu's Redis transport publishes fanout exchanges."""

from __future__ import annotations

from msgspec import Struct

from flower_plugins import Broker, ConfigurationError

__all__ = ["Fanout"]

_OWN_PREFIX = "/{db}."
_WHERE = "broker_transport_options"


class Fanout(Struct, frozen=True):
    """The transport options that make a channel's name, as kombu.transport.redis puts it together.

    There is more than one prefix only with `sentinel_fanout_compat`: then each message is published
    once under each.
    """

    prefixes: tuple[str, ...]
    patterns: bool

    @classmethod
    def of(cls, broker: Broker, database: int) -> Fanout:
        """Read the options `fanout_prefix`, `fanout_patterns`, `global_keyprefix` and `sentinel_fanout_compat`."""
        options = broker.transport_options
        chosen = options.get("fanout_prefix", True)
        template = chosen if isinstance(chosen, str) and chosen else _OWN_PREFIX if chosen else ""
        try:
            prefix = template.format(db=database)
        except (AttributeError, IndexError, KeyError, ValueError):
            raise ConfigurationError(
                f"fanout_prefix {template!r} cannot be used", where=_WHERE, mend="Its only field is {db}."
            ) from None
        prefixes = [prefix]
        if broker.scheme == "sentinel" and options.get("sentinel_fanout_compat"):
            prefixes.append(template)
        everywhere = str(options.get("global_keyprefix") or "")
        patterns = bool(options.get("fanout_patterns", True))
        return cls(tuple(everywhere + name for name in dict.fromkeys(prefixes)), patterns)

    def subscriptions(self, exchange: str) -> list[str]:
        """Return what a queue that is bound to the exchange with "#" subscribes to."""
        return [f"{prefix}{exchange}/*" if self.patterns else prefix + exchange for prefix in self.prefixes]

    def channels(self, exchange: str) -> list[str]:
        """Return where a message without a routing key is published."""
        return [prefix + exchange for prefix in self.prefixes]
