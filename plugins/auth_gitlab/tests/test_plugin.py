from __future__ import annotations

from flower_auth_gitlab import plugin


def test_the_provider_answers_to_its_name_and_to_the_documented_class_path() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.name == "gitlab"
    assert offer.aliases == ("flower.views.auth.GitLabLoginHandler",)


def test_choosing_it_says_that_it_cannot_be_had_yet() -> None:
    (offer,) = plugin.flower_auth_providers()
    assert offer.unavailable == "Login through GitLab is not part of this version of Flower"


def test_the_options_have_their_documented_names_and_defaults() -> None:
    found = {option.name: (option.type, option.default) for option in plugin.flower_options()}
    assert found == {
        "gitlab_oauth_domain": (str, "gitlab.com"),
        "gitlab_auth_allowed_groups": (str, ()),
        "gitlab_min_access_level": (int, 20),
    }


def test_setting_an_option_never_passes_silently() -> None:
    assert all(option.claims and option.unavailable for option in plugin.flower_options())


def test_several_groups_can_be_given() -> None:
    assert [option.name for option in plugin.flower_options() if option.multiple] == ["gitlab_auth_allowed_groups"]
