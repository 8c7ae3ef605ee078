from __future__ import annotations

from flower_auth_google import plugin


def test_the_provider_answers_to_its_name_and_to_the_documented_class_path() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.name == "google"
    assert offer.aliases == ("flower.views.auth.GoogleAuth2LoginHandler",)
    assert not offer.unavailable


def test_the_options_have_their_documented_names_and_defaults() -> None:
    found = {option.name: (option.type, option.default) for option in plugin.flower_options()}
    assert found == {
        "google_hosted_domain": (str, ()),
        "google_oauth_issuer": (str, "https://accounts.google.com"),
        "google_tokeninfo_url": (str, "https://oauth2.googleapis.com/tokeninfo"),
    }


def test_the_options_cannot_be_set_where_the_plugin_is_missing() -> None:
    assert all(option.claims and not option.unavailable for option in plugin.flower_options())
