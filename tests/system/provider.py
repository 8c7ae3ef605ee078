"""A real identity provider, the Flowers that trust it, and browsers that log in there."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from tests.system.servers import answers, free_port
from tests.system.support import Launcher, Process, RunningFlower, until

SCRIPT = Path(__file__).parent / "idp" / "provider.mjs"
SECRET = "canary-of-the-client-secret"  # the tests look for it where it must not be
COOKIE_SECRET = "one-secret-for-all-flowers-of-these-tests"
ENDPOINTS = {
    "google": ("/auth", "/token", "/me"),
    "github": ("/login/oauth/authorize", "/login/oauth/access_token", "/api/v3/user/emails"),
    "gitlab": ("/oauth/authorize", "/oauth/token", "/api/v4/user"),
    "okta": ("/oauth2/v1/authorize", "/oauth2/v1/token", "/oauth2/v1/userinfo"),
}
"""Where each provider asks for consent, exchanges codes and says who somebody is."""
SCOPES = {
    "google": "openid email",
    "github": "user:email read:org",
    "gitlab": "read_api",
    "okta": "openid email groups",
}


class IdentityProvider:
    """npm's oidc-provider on a loopback port, for one client of each provider and one that is not Flower's."""

    def __init__(self, launcher: Launcher, folder: Path) -> None:
        """`folder` is where npm has installed it."""
        self._launcher, self._folder = launcher, folder
        self.port, self.ports = free_port(), {name: free_port() for name in ENDPOINTS}
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Process | None = None

    def redirect(self, name: str) -> str:
        """Return where the browser comes back to."""
        return f"http://localhost:{self.ports[name]}/login"

    def start(self) -> None:
        """Start it and wait until it listens; it knows nothing of what was before."""
        script = shutil.copy(SCRIPT, self._folder)  # beside what it imports
        uris = [self.redirect(name) for name in self.ports]
        clients = [
            {"client_id": name, "client_secret": SECRET, "redirect_uris": uris} for name in ("flower", "another")
        ]
        process = self._process = self._launcher.start(
            ["node", str(script), str(self.port), json.dumps(clients)], cwd=self._folder
        )

        def listens() -> bool:
            assert process.popen.poll() is None, process.output()
            return answers(self.port)

        until(listens, "the identity provider listens")

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.stop(signal.SIGKILL)

    def fail(self, **faults: Any) -> None:
        """Answer paths in another way from now on, or all of them properly again."""
        httpx.post(f"{self.url}/faults", json=faults).raise_for_status()

    def options(self, name: str) -> Sequence[str]:
        """Return what a Flower that trusts this provider is told."""
        own = {
            "google": [f"--google_oauth_issuer={self.url}", f"--google_tokeninfo_url={self.url}/tokeninfo"],
            "github": [f"--github_oauth_domain={self.url}", "--github_allowed_organizations=shop"],
            "gitlab": [f"--gitlab_oauth_domain={self.url}", "--gitlab_auth_allowed_groups=shop"],
            "okta": [f"--oauth2_okta_base_url={self.url}/oauth2", "--okta_allowed_groups=shop"],
        }
        more = ["--google_hosted_domain=example.com"] if name == "google" else []
        login = [f"--auth_provider={name}", "--auth=.*@example.com", "--oauth2_key=flower"]
        address = [f"--port={self.ports[name]}", "--address=127.0.0.1", "--debug"]
        return [*own[name], *more, *login, *address, f"--oauth2_redirect_uri={self.redirect(name)}"]

    def flower(self, name: str, environment: Mapping[str, str]) -> RunningFlower:
        """Start a Flower that trusts this provider; nothing secret stands on its command line."""
        secrets_ = {"FLOWER_OAUTH2_SECRET": SECRET, "FLOWER_COOKIE_SECRET": COOKIE_SECRET}
        return self._launcher.flower(None, *self.options(name), env={**secrets_, **environment})

    def token(self, name: str, user: str, client: str = "flower") -> str:
        """Return an access token as a script would have got it."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        authorize, exchange, _ = ENDPOINTS[name]
        query = {
            "client_id": client,
            "response_type": "code",
            "redirect_uri": self.redirect(name),
            "scope": SCOPES[name],
            "state": "s",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        with Browser(self.redirect(name).removesuffix("/login")) as browser:
            back = browser.consent(str(httpx.URL(self.url + authorize, params=query)), user)
        form = {
            "grant_type": "authorization_code",
            "code": httpx.URL(back).params["code"],
            "redirect_uri": self.redirect(name),
            "client_id": client,
            "client_secret": SECRET,
            "code_verifier": verifier,
        }
        reply = httpx.post(self.url + exchange, data=form, headers={"Accept": "application/json"}).json()
        return str(reply["access_token"])


@dataclass
class Browser:
    """Somebody's browser: keeps cookies, and follows redirects one at a time."""

    flower: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30), repr=False)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask Flower, without following where it leads."""
        return self.client.get(urljoin(self.flower, path), **more)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the session's token, as the pages' own forms do."""
        token = next((value for name, value in self.client.cookies.items() if name == "_xsrf"), "")
        return self.client.post(urljoin(self.flower, path), data={**fields, "_xsrf": token})

    def leave(self, path: str = "/") -> str:
        """Ask for a page and return the address of the consent page that Flower leads to."""
        login = self.get(path)
        assert login.status_code == 302, (login.status_code, login.text[:300])
        assert login.headers["Location"].startswith("/login?next="), login.headers["Location"]
        away = self.get(login.headers["Location"])
        assert away.status_code == 302, (away.status_code, away.text[:300])
        return away.headers["Location"]

    def consent(self, url: str, user: str) -> str:
        """Log in at the provider and return the address it sends the browser back to."""
        url += f"&login_hint={user}"
        for _ in range(8):
            reply = self.client.get(url)
            assert reply.is_redirect, (reply.status_code, reply.text[:500])
            url = urljoin(url, reply.headers["Location"])
            if url.startswith(self.flower):
                return url
        raise AssertionError(f"never came back: {url}")

    def come_back(self, user: str, path: str = "/") -> str:
        """Go away and return the address to come back to."""
        return self.consent(self.leave(path), user)

    def log_in(self, user: str, path: str = "/") -> httpx.Response:
        """Go all the way, and return what Flower says in the end."""
        return self.get(self.come_back(user, path))

    def is_in(self) -> bool:
        """Tell whether Flower shows its pages."""
        reply = self.get("/workers")
        assert reply.status_code in (200, 302), reply.status_code
        return reply.status_code == 200
