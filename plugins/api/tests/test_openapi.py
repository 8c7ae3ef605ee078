"""The API's description of itself, for programs and for people."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from flower_api.failures import FAILURES
from flower_api.operations import operations
from flower_api.plugin import flower_assets
from flower_api.read_routes import read_routes
from flower_api.routes import routes
from flower_api.schemas import ListedTask, TaskInfo
from flower_dashboard import plugin as dashboard
from flower_dashboard.renderer import JinjaRenderer
from flower_plugins import Answer, Example, Param, Route
from flower_plugins.testing import TASK_FIELDS, Client, FakeHost, offer_context, serve
from flower_plugins.web import Handler


class Order(msgspec.Struct):
    """What to send."""

    args: list[int] = []


class Sending(Handler):
    def post(self) -> None:
        self.send_json({})


SEND = Route(
    "/api/task/send/(?P<taskname>.+)",
    Sending,
    access="write",
    surface="api",
    name="send-task",
    help="Sends a task; `args` are its arguments.",
    params=[
        Param("n", int, 1, minimum=1, maximum=9, help="How many"),
        Param("mode", choices=("a", "b"), required=True),
        Param("share", float, minimum=0.5),
    ],
    body=Order,
    answers=[Answer(200, "Sent", dict[str, str]), Answer(409, "The worker is away")],
    examples=[Example("Send it", {"mode": "a", "dry": True}, {"args": [1, 2]})],
)
LOST = Route("/api/lost", "flower_api.nowhere:Lost", access="read", surface="api", name="lost")
ODD = Route("/api/odd/.*", Sending, access="write", surface="api", name="odd")
PAGE = Route("/page", Sending, access="write", surface="page", name="page")


def host(*, drawn: bool = False, **more: Any) -> FakeHost:
    made = FakeHost(options=dashboard.flower_options(), **more)
    if drawn:
        renderer = JinjaRenderer(offer_context(*dashboard.flower_options(), natural_time=False))
        folders = [assets.templates for assets in (*dashboard.flower_assets(), *flower_assets())]
        renderer.open(made, [folder for folder in folders if folder is not None])
        made.renderer = renderer.render
    return made


def fetch(path: str, made: FakeHost | None = None) -> tuple[str, str]:
    """Return the Content-Type and the body of a GET that answers 200."""

    async def scenario(client: Client) -> tuple[str, str]:
        response = await client.fetch(path)
        assert response.code == 200, response.body
        return response.headers["Content-Type"], response.body.decode()

    return serve(made or host(), [*read_routes(), SEND, ODD, LOST, PAGE], scenario)


def document(made: FakeHost | None = None, prefix: str = "") -> Any:
    return json.loads(fetch(f"{prefix}/api/openapi.json", made)[1])


def test_every_route_of_the_api_is_described_and_no_page() -> None:
    paths = document()["paths"]
    assert list(paths) == [
        "/api/tasks",
        "/api/task/types",
        "/api/task/info/{id}",
        "/api/task/send/{taskname}",
        "/api/workers",
        "/api/queues/length",
        "/api/plugins",
        "/api/openapi.json",
    ]
    assert all(list(each) == ["get"] for path, each in paths.items() if path != "/api/task/send/{taskname}")


@pytest.mark.parametrize("path", ["/api/openapi.json", "/api/docs"])
def test_a_description_is_made_once_for_each_address_and_few_are_kept(path: str) -> None:
    routes = read_routes()
    (kept,) = (route.options["kept"] for route in routes if re.fullmatch(route.pattern, path))

    async def scenario(client: Client) -> list[int]:
        sizes = []
        for name in ("a", "a", "b", *(f"h{number}" for number in range(20))):
            response = await client.fetch(path, headers={"Host": name})
            assert f"http://{name}/api/plugins" in response.body.decode()
            sizes.append(len(kept))
        return sizes

    sizes = serve(host(), routes, scenario)
    assert sizes[:3] == [1, 1, 2]
    assert max(sizes) == 8


def test_an_operation_says_what_it_takes_and_answers() -> None:
    made = document()
    sending = made["paths"]["/api/task/send/{taskname}"]["post"]
    assert sending["operationId"] == "send_task"
    assert sending["tags"] == ["Tasks"]
    schemas = {each["name"]: (each["in"], each["required"], each["schema"]) for each in sending["parameters"]}
    assert schemas == {
        "taskname": ("path", True, {"type": "string"}),
        "n": ("query", False, {"type": "integer", "minimum": 1, "maximum": 9, "default": 1}),
        "mode": ("query", True, {"type": "string", "enum": ["a", "b"]}),
        "share": ("query", False, {"type": "number", "minimum": 0.5}),
    }
    assert sending["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Order"}
    assert list(sending["responses"]) == ["200", "400", "401", "403", "409", "413", "421", "503"]
    assert sending["responses"]["409"]["description"] == "The worker is away"
    assert sending["responses"]["400"] == {"$ref": "#/components/responses/400"}
    assert set(made["components"]["responses"]["400"]["content"]) == {"application/json", "text/plain"}
    assert sending["x-codeSamples"][0]["source"].startswith("curl -X POST -H 'Content-Type: application/json' -d ")


def test_reads_answer_304_and_take_no_large_body() -> None:
    responses = document()["paths"]["/api/tasks"]["get"]["responses"]
    assert list(responses) == ["200", "304", "400", "401", "403", "421", "503"]
    assert "content" not in responses["304"]


@pytest.mark.parametrize(
    ("prefix", "server"), [("", "/"), ("/flower", "/flower"), ("/a/b", "/a/b")], ids=["none", "one", "two"]
)
def test_the_server_is_where_the_prefix_says(prefix: str, server: str) -> None:
    made = document(host(url_prefix=prefix), prefix)
    assert made["servers"] == [{"url": server}]
    (sample,) = made["paths"]["/api/plugins"]["get"]["x-codeSamples"]
    assert re.fullmatch(rf"curl http://127\.0\.0\.1:\d+{prefix}/api/plugins", sample["source"])


def test_the_logins_that_are_configured_are_all_asked_for() -> None:
    open_one = document()
    assert "security" not in open_one
    assert "securitySchemes" not in open_one["components"]
    made = host()
    made.challenge_list = ['Basic realm="flower"', "Bearer"]
    closed = document(made)
    assert closed["security"] == [{"basic": [], "bearer": []}]
    assert closed["components"]["securitySchemes"]["basic"] == {"type": "http", "scheme": "basic"}
    assert "-u user:password" in closed["paths"]["/api/tasks"]["get"]["x-codeSamples"][0]["source"]


def test_every_operation_has_an_id_of_its_own() -> None:
    grow = Route("/api/pool/(?:grow|shrink)/(?P<name>.+)", Sending, "write", "api", "pool")
    again = Route("/api/pool", Sending, "write", "api", "Pool!")
    assert {each.id for each in operations([grow, again])} == {"pool", "pool_2", "pool_3"}


def test_public_routes_need_no_login() -> None:
    public = Route("/healthcheck", Sending, access="public", surface="probe", name="health")
    (operation,) = operations([public])
    assert operation.open
    assert [answer.status for answer in operation.answers] == [200, 400]


def test_the_shape_of_a_task_has_exactly_the_fields_of_a_task() -> None:
    listed = msgspec.json.schema(ListedTask)["$defs"]["ListedTask"]
    shown = msgspec.json.schema(TaskInfo)["$defs"]["TaskInfo"]
    assert set(listed["properties"]) == {*TASK_FIELDS, "worker_lost", "worker_restarted"}
    assert set(listed["required"]) == set(TASK_FIELDS) - {"worker"}
    assert set(shown["required"]) == {*TASK_FIELDS, "task-id"}


def test_every_error_of_the_document_is_explained_once() -> None:
    for operation in operations([*routes(), SEND]):
        declared = {answer.status for answer in operation.route.answers}
        assert {answer.status for answer in operation.answers if answer.status >= 400} - declared <= set(FAILURES)


def test_the_page_shows_every_route_with_its_command() -> None:
    content_type, html = fetch("/flower/api/docs", host(drawn=True, url_prefix="/flower"))
    assert content_type.startswith("text/html")
    for path in ("/api/tasks", "/api/task/info/{id}", "/api/task/send/{taskname}"):
        assert f"<code>{path}</code>" in html
    assert html.count("<code>curl ") >= 8
    assert "Changes something" in html
    links = re.findall(r'(?:href|src)="([^"]+)"', html)
    assert all(link.startswith(("/flower/", "#")) for link in links)
    anchors = set(re.findall(r'id="([^"]+)"', html))
    assert {link[1:] for link in links if link.startswith("#")} <= anchors


def test_the_page_has_nothing_inline() -> None:
    """BAR S10."""
    _, html = fetch("/api/docs", host(drawn=True))
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", html)
    assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", html))


def test_what_plugins_declare_is_escaped_on_the_page() -> None:
    hostile = Route("/api/x", Sending, "write", "api", "x<script>", help="<img src=x> `<b>`")

    async def scenario(client: Client) -> str:
        return (await client.fetch("/api/docs")).body.decode()

    html = serve(host(drawn=True), [*routes(), hostile], scenario)
    assert "<img src=x>" not in html
    assert "<b>" not in html
    assert "&lt;img src=x&gt;" in html
    assert "X&lt;script&gt;" in html


@pytest.mark.parametrize("challenges", [[], ['Basic realm="flower"']])
def test_the_page_says_whether_credentials_are_needed(challenges: list[str]) -> None:
    made = host(drawn=True)
    made.challenge_list = challenges
    html = fetch("/api/docs", made)[1]
    assert ("FLOWER_UNAUTHENTICATED_API=true" in html) == (not challenges)
    assert ("-u user:password" in html) == bool(challenges)


def test_without_a_renderer_the_page_is_text() -> None:
    content_type, text = fetch("/api/docs")
    assert content_type.startswith("text/plain")
    assert "### List tasks" in text
    assert "curl http://127.0.0.1" in text


def test_a_route_of_uncertain_paths_is_left_out_and_spoils_nothing() -> None:
    assert not any("odd" in path for path in document()["paths"])


def test_colours_come_from_the_tokens_of_the_dashboard() -> None:
    static = flower_assets()[0].static
    assert static is not None
    source = (static / "docs.css").read_text()
    assert not re.search(r"@import|url\(|#[0-9a-f]{3,8}\b|rgb\(", source)
