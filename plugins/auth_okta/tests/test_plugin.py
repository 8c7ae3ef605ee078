from __future__ import annotations

from flower_auth_okta import plugin


def test_the_provider_answers_to_its_name_and_to_the_documented_class_path() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.name == "okta"
    assert offer.aliases == ("flower.views.auth.OktaLoginHandler",)
    assert not offer.unavailable


def test_the_options_have_their_documented_names_and_defaults() -> None:
    found = {option.name: (option.type, option.default) for option in plugin.flower_options()}
    assert found == {"oauth2_okta_base_url": (str, None), "okta_allowed_groups": (str, ())}


def test_the_options_cannot_be_set_where_the_plugin_is_missing() -> None:
    assert all(option.claims and not option.unavailable for option in plugin.flower_options())
