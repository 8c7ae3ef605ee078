"""Kept for login handlers written for Flower 2, which subclass one of these."""

from flower.web.classic import GitHubLogin, GitLabLogin, GoogleLogin, OktaLogin

__all__ = ["GitLabLoginHandler", "GithubLoginHandler", "GoogleAuth2LoginHandler", "OktaLoginHandler"]


class GoogleAuth2LoginHandler(GoogleLogin):
    """Logs in with Google."""


class GithubLoginHandler(GitHubLogin):
    """Logs in with GitHub."""


class GitLabLoginHandler(GitLabLogin):
    """Logs in with GitLab."""


class OktaLoginHandler(OktaLogin):
    """Logs in with Okta."""
