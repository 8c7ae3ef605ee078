"""Channel names, as kombu.transport.redis makes them."""

from __future__ import annotations

from typing import Any

import pytest

from flower_broker_redis.fanout import Fanout
from flower_plugins import Broker, ConfigurationError


def fanout(database: int, scheme: str = "redis", /, **options: Any) -> Fanout:
    return Fanout.of(Broker(f"{scheme}://", scheme, "", dict(options)), database)


@pytest.mark.parametrize(
    ("options", "subscriptions", "channels"),
    [
        ({}, ["/3.ev/*"], ["/3.ev"]),
        ({"fanout_prefix": True}, ["/3.ev/*"], ["/3.ev"]),
        ({"fanout_prefix": False}, ["ev/*"], ["ev"]),
        ({"fanout_prefix": ""}, ["ev/*"], ["ev"]),
        ({"fanout_prefix": "/own."}, ["/own.ev/*"], ["/own.ev"]),
        ({"fanout_prefix": "/own-{db}."}, ["/own-3.ev/*"], ["/own-3.ev"]),
        ({"fanout_patterns": False}, ["/3.ev"], ["/3.ev"]),
        ({"global_keyprefix": "all:"}, ["all:/3.ev/*"], ["all:/3.ev"]),
        ({"global_keyprefix": "all:", "fanout_prefix": False, "fanout_patterns": False}, ["all:ev"], ["all:ev"]),
        ({"sentinel_fanout_compat": True}, ["/3.ev/*"], ["/3.ev"]),
    ],
)
def test_options_make_the_names(options: dict[str, Any], subscriptions: list[str], channels: list[str]) -> None:
    made = fanout(3, **options)
    assert made.subscriptions("ev") == subscriptions
    assert made.channels("ev") == channels


def test_old_and_new_names_are_both_used_while_sentinel_users_upgrade() -> None:
    made = fanout(3, "sentinel", sentinel_fanout_compat=True, global_keyprefix="g")
    assert made.subscriptions("ev") == ["g/3.ev/*", "g/{db}.ev/*"]
    assert made.channels("ev") == ["g/3.ev", "g/{db}.ev"]
    assert fanout(3, "sentinel", sentinel_fanout_compat=True, fanout_prefix="/same.").subscriptions("ev") == [
        "/same.ev/*"
    ]


@pytest.mark.parametrize("prefix", ["/{nosuch}.", "/{.", "/{0}.", "/{db.nosuch}."])
def test_a_prefix_that_cannot_be_filled_in_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="fanout_prefix"):
        fanout(0, fanout_prefix=prefix)
