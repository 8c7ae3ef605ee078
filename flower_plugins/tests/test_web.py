"""The handler base class: parameters are typed before a handler runs, errors become answers."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from flower_plugins import Forbidden, NotFound, Offline, Param, Route, Unavailable
from flower_plugins.testing import Client, FakeHost, serve
from flower_plugins.web import Handler, foreign, netloc, wants_json

PARAMS = (
    Param("text"),
    Param("count", int, 5, minimum=1, maximum=10),
    Param("ratio", float, minimum=0),
    Param("flag", bool, False),
    Param("order", str, "name", choices=("name", "state")),
)


class Echo(Handler):
    """Answers with what it was given."""

    def get(self) -> None:
        self.send_json({"params": dict(self.params), "path": dict(self.path)})

    def post(self) -> None:
        self.get()


class Failing(Handler):
    """Raises what its path names."""

    errors: Mapping[str, Exception] = {
        "missing": NotFound("Unknown task 'x'"),
        "offline": Offline("Worker is gone"),
        "broker": Unavailable("Broker unavailable"),
        "bug": ValueError("a secret detail"),
    }

    def get(self) -> None:
        raise self.errors[self.path["kind"]]


class Strict(Handler):
    """Sends a number JSON does not have."""

    def get(self) -> None:
        self.send_json({"runtime": float("nan")})


class Page(Handler):
    """Sends a page."""

    def get(self) -> None:
        self.send_page("tasks.html", title="<b>")


class Careful(Handler):
    """Demands more than its route does."""

    def get(self) -> None:
        self.require("write")
        self.send_json({})


class Prepared(Handler):
    """Counts on the parameters being read when a subclass prepares."""

    def prepare(self) -> None:
        super().prepare()
        if self.params["count"] == 7:
            raise Forbidden("Not seven")

    def get(self) -> None:
        self.send_json({})


ROUTES = [
    Route("/echo", Echo, "read", "api", "echo", PARAMS),
    Route("/named/(?P<uuid>.+)", Echo, "read", "api", "named"),
    Route("/required", Echo, "read", "api", "required", [Param("queue", required=True)]),
    Route("/failing/(?P<kind>.+)", Failing, "read", "api", "failing"),
    Route("/strict", Strict, "read", "api", "strict"),
    Route("/page", Page, "read", "page", "page"),
    Route("/careful", Careful, "read", "api", "careful"),
    Route("/prepared", Prepared, "read", "api", "prepared", PARAMS),
]


def ask(path: str, method: str = "GET", refusals: Mapping[str, str] | None = None, **more: Any) -> HTTPResponse:
    async def scenario(client: Client) -> HTTPResponse:
        return await client.fetch(path, method, **more)

    return serve(FakeHost(), ROUTES, scenario, refusals=refusals)


def params(response: HTTPResponse) -> Any:
    assert response.code == 200, response.body
    return json.loads(response.body)["params"]


def test_parameters_that_were_not_sent_have_their_defaults() -> None:
    assert params(ask("/echo")) == {"text": None, "count": 5, "ratio": None, "flag": False, "order": "name"}


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("text=a%26b", "text", "a&b"),
        ("text=%3Cb%3E", "text", "<b>"),
        ("text=", "text", ""),
        ("count=10", "count", 10),
        ("count=2&count=3", "count", 3),
        ("ratio=0.5", "ratio", 0.5),
        ("ratio=2", "ratio", 2.0),
        ("flag=1", "flag", True),
        ("flag=Yes", "flag", True),
        ("flag=on", "flag", True),
        ("flag=0", "flag", False),
        ("flag=OFF", "flag", False),
        ("order=state", "order", "state"),
    ],
)
def test_parameters_have_their_declared_type(query: str, name: str, value: object) -> None:
    found = params(ask(f"/echo?{query}"))[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("count=abc", "Invalid argument 'abc' of type 'int'"),
        ("count=1.5", "Invalid argument '1.5' of type 'int'"),
        ("count=", "Invalid argument '' of type 'int'"),
        ("count=0", "count is at least 1"),
        ("count=11", "count is at most 10"),
        ("count=" + "9" * 5000, "of type 'int'"),
        ("ratio=nan", "Invalid argument 'nan' of type 'float'"),
        ("ratio=inf", "Invalid argument 'inf' of type 'float'"),
        ("ratio=1e999", "of type 'float'"),
        ("ratio=-1", "ratio is at least 0"),
        ("flag=maybe", "Invalid argument 'maybe' of type 'bool'"),
        ("order=size", "expected one of name, state"),
    ],
)
def test_a_bad_parameter_is_answered_with_400_and_the_reason(query: str, words: str) -> None:
    response = ask(f"/echo?{query}")
    assert response.code == 400
    assert words in response.body.decode()
    assert len(response.body) < 500


def test_a_missing_parameter_is_named() -> None:
    response = ask("/required")
    assert (response.code, response.body) == (400, b"Missing argument queue")
    assert ask("/required?queue=").code == 400


def test_parameters_are_read_from_form_bodies() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert params(ask("/echo", "POST", body="count=3&text=a%26b", headers=headers))["count"] == 3


def test_the_named_groups_of_the_path_arrive_decoded() -> None:
    assert json.loads(ask("/named/a%2Fb%20c").body)["path"] == {"uuid": "a/b c"}


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("missing", 404, "Unknown task 'x'"),
        ("offline", 409, "Worker is gone"),
        ("broker", 503, "Broker unavailable"),
    ],
)
def test_an_error_of_the_tree_answers_with_its_status_and_message(kind: str, status: int, words: str) -> None:
    response = ask(f"/failing/{kind}")
    assert (response.code, response.body.decode()) == (status, words)
    as_json = ask(f"/failing/{kind}", headers={"Accept": "application/json"})
    assert (as_json.code, json.loads(as_json.body)) == (status, {"error": words})


def test_a_refusal_is_not_logged_as_an_incident(caplog: pytest.LogCaptureFixture) -> None:
    ask("/failing/missing")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_an_unforeseen_error_is_logged_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    response = ask("/failing/bug")
    assert response.code == 500
    assert b"secret detail" not in response.body
    assert "a secret detail" in caplog.text


def test_nan_never_reaches_a_reader_as_json() -> None:
    response = ask("/strict")
    assert response.code == 200
    assert b"NaN" not in response.body
    assert b"null" in response.body


def test_head_answers_like_get_without_a_body() -> None:
    response = ask("/echo", "HEAD")
    assert (response.code, response.body) == (200, b"")
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.parametrize(("path", "methods"), [("/echo", "GET, HEAD, POST, OPTIONS"), ("/page", "GET, HEAD, OPTIONS")])
def test_options_lists_the_methods(path: str, methods: str) -> None:
    response = ask(path, "OPTIONS")
    assert (response.code, response.headers["Allow"]) == (204, methods)


def test_a_method_the_handler_lacks_is_405() -> None:
    refused = ask("/page", "DELETE")
    assert (refused.code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_handler_can_demand_more_than_its_route() -> None:
    assert ask("/careful").code == 200
    response = ask("/careful", refusals={"write": "Read only mode is enabled"})
    assert (response.code, response.body) == (403, b"Read only mode is enabled")


def test_a_subclass_may_prepare_once_the_parameters_are_read() -> None:
    assert ask("/prepared?count=6").code == 200
    assert ask("/prepared?count=7").code == 403


def test_a_page_without_a_renderer_is_plain_text() -> None:
    class Bare(FakeHost):
        def render(self, template: str, context: Mapping[str, Any]) -> str | None:
            return None

    async def scenario(client: Client) -> HTTPResponse:
        return await client.fetch("/page")

    response = serve(Bare(), ROUTES, scenario)
    assert response.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert response.body == b"title: <b>\n"


def test_a_page_with_a_renderer_is_html() -> None:
    class Rendering(FakeHost):
        def render(self, template: str, context: Mapping[str, Any]) -> str | None:
            return f"<i>{template}: {sorted(context)}</i>"

    async def scenario(client: Client) -> HTTPResponse:
        return await client.fetch("/page")

    response = serve(Rendering(), ROUTES, scenario)
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert response.body == b"<i>tasks.html: ['handler', 'title', 'visit']</i>"


@pytest.mark.parametrize(
    ("accept", "verdict"),
    [
        ("application/json", True),
        ("Application/JSON; q=0.9", True),
        ("text/html, application/json;q=0.5", True),
        ("", False),
        ("*/*", False),
        ("text/html", False),
        ("application/jsonp", False),
    ],
)
def test_only_an_accept_header_that_names_json_asks_for_it(accept: str, verdict: bool) -> None:
    assert wants_json(accept) is verdict


class Waiting(Handler):
    """Waits for what never comes, and notes how that ended."""

    ended: list[str] = []

    async def get(self) -> None:
        await self.while_connected(self._wait_for_ever())
        self.ended.append("went on")

    async def _wait_for_ever(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise


def test_work_for_a_client_that_leaves_is_given_up_and_the_handler_ends(caplog: pytest.LogCaptureFixture) -> None:
    """S50"""
    Waiting.ended.clear()

    async def scenario(client: Client) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await writer.drain()
        await client.fetch("/nowhere")
        writer.close()
        await writer.wait_closed()
        deadline = asyncio.get_running_loop().time() + 5
        while not Waiting.ended:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)

    serve(FakeHost(), [Route("/wait", Waiting, "public", "page", "wait")], scenario)
    assert Waiting.ended == ["cancelled"]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": ""}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, False),
        ({"Origin": "http://Flower.example:5555"}, False),
        ({"Origin": "http://flower.example"}, True),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "http://flower.example:5555.evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://[::1"}, True),
        ({"Origin": ""}, True),
    ],
)
def test_what_a_browser_says_of_other_sites_is_believed(headers: dict[str, str], expected: bool) -> None:
    """S08"""
    all_headers = HTTPHeaders({"Host": "flower.example:5555", **headers})
    assert (
        foreign(HTTPServerRequest(start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=all_headers)) is expected
    )


def test_the_place_of_a_url_has_no_user_and_no_capitals() -> None:
    assert netloc("HTTP://ann:pw@Flower.example:80/x") == "flower.example:80"
    assert netloc("http://[::1") == netloc("null") == netloc("") == ""
