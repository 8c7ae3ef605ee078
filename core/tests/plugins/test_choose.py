from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from flower.plugins import BROKER_EXTRAS, PROVIDER_EXTRAS, by_name, by_option, by_scheme, load_class
from flower_plugins import ConfigurationError, Offer, Service

Write = Callable[[str, str], EntryPoint]

OFFERS: list[tuple[str, Offer[Any]]] = [
    ("auth_okta", Offer("okta", "", aliases=("flower.views.auth.OktaLoginHandler",), unavailable="Not yet")),
    ("auth_basic", Offer("basic", "a:Basic", when=("basic_auth", "basic_auth_file"))),
    ("broker_redis", Offer("redis", "a:Redis", aliases=("my.Redis",), schemes=("redis", "rediss"))),
    ("x", Offer("other", "a:Other", schemes=("redis", "kafka"))),
    ("y", Offer("later", "", schemes=("sqs",), unavailable="Not yet")),
]
WORDS: dict[str, Any] = {"what": "login provider", "setting": "--auth_provider", "extras": PROVIDER_EXTRAS}


@pytest.mark.parametrize("name", ["redis", "Redis", "my.Redis", "my:Redis"])
def test_an_offer_is_found_by_its_name_and_aliases(name: str) -> None:
    assert by_name(OFFERS, name, **WORDS).name == "redis"


@pytest.mark.parametrize(
    ("scheme", "expected"), [("redis", "redis"), ("kafka", "other"), ("gopher", None), ("sqs", None), ("", None)]
)
def test_the_first_available_offer_serves_a_scheme(scheme: str, expected: str | None) -> None:
    offer = by_scheme(OFFERS, scheme)
    assert (offer.name if offer else None) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"), [("basic_auth", "basic"), ("basic_auth_file", "basic"), ("other", None), ("", None)]
)
def test_a_setting_chooses_the_offer_that_waits_for_it(wanted: str, expected: str | None) -> None:
    offer = by_option(OFFERS, wanted.__eq__)
    assert (offer.name if offer else None) == expected


@pytest.mark.parametrize("name", ["okta", "flower.views.auth.OktaLoginHandler", "flower.views.auth:OktaLoginHandler"])
def test_choosing_what_is_not_available_stops_the_start_with_its_sentence(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^Not yet \(--auth_provider\)$"):
        by_name(OFFERS, name, **WORDS)


def test_a_setting_that_chooses_what_is_not_available_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"^Not yet \(--token_auth\)$"):
        by_option([("z", Offer("t", "", when="token_auth", unavailable="Not yet"))], bool)


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("google", "google"),
        ("GitHub", "github"),
        ("flower.views.auth.GoogleAuth2LoginHandler", "google"),
        ("flower.views.auth.GithubLoginHandler", "github"),
        ("flower.views.auth:GitLabLoginHandler", "gitlab"),
    ],
)
def test_a_provider_that_an_extra_would_bring_is_answered_with_the_pip_line(name: str, extra: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        by_name(OFFERS, name, **WORDS)
    assert raised.value.mend == f"Run: pip install 'flower[{extra}]'"
    assert raised.value.where == "--auth_provider"


@pytest.mark.parametrize(("name", "extra"), [("amqps", "rabbitmq"), ("redis+socket", "redis"), ("sentinel", "redis")])
def test_a_broker_that_an_extra_would_bring_is_answered_with_the_pip_line(name: str, extra: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"pip install 'flower\[{extra}\]'"):
        by_name([], name, what="event source", setting="--event_source", extras=BROKER_EXTRAS)


@pytest.mark.parametrize(
    ("offers", "name", "mend"),
    [
        (OFFERS, "reddis", "Did you mean 'redis'? There is: basic, later, okta, other, redis."),
        (OFFERS, "zzz", "There is: basic, later, okta, other, redis."),
        (OFFERS, "", "There is: basic, later, okta, other, redis."),
        ([], "zzz", "None is installed."),
    ],
)
def test_an_unknown_name_is_answered_with_what_is_there(offers: Any, name: str, mend: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        by_name(offers, name, **WORDS)
    assert raised.value.mend == mend


SOURCE = """
class Good(Service): pass
class Other: pass
number = 5
"""


def test_the_class_that_an_offer_names_is_imported(write: Write) -> None:
    write("classes", SOURCE)
    assert load_class(Offer("x", "trial_classes:Good"), Service).__name__ == "Good"


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ("trial_classes:Other", "not a subclass of Service"),
        ("trial_classes:number", "not a subclass of Service"),
        ("trial_classes:Missing", "AttributeError"),
        ("no_such_module:Class", "ModuleNotFoundError"),
        ("trial_exits:Class", r"sys\.exit\(9\)"),
        ("", "ValueError"),
    ],
)
def test_a_class_that_cannot_be_had_stops_the_start(write: Write, load: str, message: str) -> None:
    write("classes", SOURCE)
    write("exits", "raise SystemExit(9)")
    with pytest.raises(ConfigurationError, match=message):
        load_class(Offer("x", load), Service)
