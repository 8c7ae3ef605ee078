from __future__ import annotations

from flower_auth_okta import plugin


def test_the_provider_answers_to_its_name_and_to_the_documented_class_path() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.name == "okta"
    assert offer.aliases == ("flower.views.auth.OktaLoginHandler",)


def test_choosing_it_says_that_it_cannot_be_had_yet() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.unavailable == "Login through Okta is not part of this version of Flower"


def test_the_options_have_their_documented_names_and_defaults() -> None:
    found = {option.name: (option.type, option.default) for option in plugin.flower_options()}
    assert found == {"oauth2_okta_base_url": (str, None)}


def test_setting_an_option_never_passes_silently() -> None:
    assert all(option.claims and option.unavailable for option in plugin.flower_options())
