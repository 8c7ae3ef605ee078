"""Options, offers and the other values are immutable and mean nothing unless told."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import NODEFAULT, structs

from flower_plugins import (
    Assets,
    AuthProvider,
    Banner,
    Broker,
    Gap,
    Identity,
    Messages,
    MetricFamily,
    NavItem,
    Offer,
    Option,
    Param,
    PluginReport,
    QueueReport,
    QueueStats,
    Route,
    Row,
    Sample,
    TaskQuery,
)

VALUES = [
    Assets(),
    Banner("info", "text"),
    Broker("redis://:pw@h", "redis", "redis://h", {}),
    Gap(1.0, None, "lost"),
    Identity("me", "basic"),
    Messages([b"{}"]),
    MetricFamily("flower_x", "help", "gauge"),
    NavItem("Tasks", "/tasks"),
    Option("port"),
    Param("limit"),
    PluginReport("api", "flower-api", "3.0.0", "active"),
    QueueReport(),
    QueueStats("celery"),
    Route("/tasks", object, "read", "page", "tasks"),
    Row("task", "uuid", 1, {}),
    Sample((), 1.0),
    TaskQuery(),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_cannot_be_changed_or_extended(value: Any) -> None:
    name = value.__struct_fields__[0]
    with pytest.raises(AttributeError, match="immutable"):
        setattr(value, name, None)
    assert not hasattr(value, "__dict__")


def test_an_option_is_an_unset_public_text_by_default() -> None:
    option = Option("url_prefix")
    assert (option.type, option.default, option.help) == (str, None, "")
    assert not option.multiple
    assert not option.secret
    assert not option.claims
    assert not option.unavailable
    assert (option.choices, option.env, option.check) == ((), (), None)


def test_an_offer_of_a_kind_can_be_made_and_not_changed() -> None:
    offer = Offer[AuthProvider]("google", "flower_auth_google.provider:Google")
    with pytest.raises(AttributeError, match="immutable"):
        offer.name = "github"  # type: ignore[misc]
    assert offer == Offer("google", "flower_auth_google.provider:Google")


def test_an_offer_is_available_and_has_no_aliases_by_default() -> None:
    offer: Offer[Any] = Offer("google", "flower_auth_google.provider:Google")
    assert (offer.label, offer.aliases, offer.schemes, offer.when, offer.unavailable) == ("", (), (), "", "")


def test_an_offer_may_be_asked_for_by_one_option_or_by_several() -> None:
    assert [Offer("a", "", when=when).asked_by for when in ("", "x", ("x", "y"))] == [(), ("x",), ("x", "y")]


def test_a_route_has_to_say_who_may_use_it_and_how_refusals_look() -> None:
    fields = {field.name: field for field in structs.fields(Route)}
    for name in ("access", "surface"):
        assert fields[name].default is fields[name].default_factory is NODEFAULT


def test_a_query_asks_for_a_hundred_tasks_and_filters_nothing_by_default() -> None:
    values = structs.asdict(TaskQuery())
    assert values.pop("limit") == 100
    assert not any(values.values())


def test_the_default_encoding_of_messages_is_celerys() -> None:
    batch = Messages([b"{}"])
    assert (batch.content_type, batch.content_encoding, batch.compression) == ("application/json", "utf-8", "")
