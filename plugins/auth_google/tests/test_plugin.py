from __future__ import annotations

from flower_auth_google import plugin


def test_the_provider_answers_to_its_name_and_to_the_documented_class_path() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.name == "google"
    assert offer.aliases == ("flower.views.auth.GoogleAuth2LoginHandler",)


def test_choosing_it_says_that_it_cannot_be_had_yet() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.unavailable == "Login through Google is not part of this version of Flower"
