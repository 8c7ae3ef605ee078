from __future__ import annotations

from flower_auth_gitlab import plugin


def test_the_provider_answers_to_its_name_and_to_the_documented_class_path() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.name == "gitlab"
    assert offer.aliases == ("flower.views.auth.GitLabLoginHandler",)
    assert not offer.unavailable


def test_the_options_have_their_documented_names_and_defaults() -> None:
    found = {option.name: (option.type, option.default) for option in plugin.flower_options()}
    assert found == {
        "gitlab_oauth_domain": (str, "gitlab.com"),
        "gitlab_auth_allowed_groups": (str, ()),
        "gitlab_min_access_level": (int, 20),
    }


def test_the_options_cannot_be_set_where_the_plugin_is_missing() -> None:
    assert all(option.claims and not option.unavailable for option in plugin.flower_options())


def test_several_groups_can_be_given() -> None:
    assert [option.name for option in plugin.flower_options() if option.multiple] == ["gitlab_auth_allowed_groups"]
