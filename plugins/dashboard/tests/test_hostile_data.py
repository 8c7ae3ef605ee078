"""BAR S10, S14, S15, R08 to R11: whatever the broker brings, pages answer 200 and nothing of it becomes markup."""

from __future__ import annotations

from dataclasses import fields

from flower_plugins import Banner, FailureGroup, Gap, PluginReport, Problem, QueueStats
from flower_plugins.testing import FakeTask, FakeWorker

EVIL = (
    "\"'><x-evil onclick=alert(1)></x-evil><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}\u2028\ud800"
)
STRANGE = [["<x-evil>", [EVIL]], {EVIL: EVIL}, float("nan"), 1e20, 10**400, "2s", True, -1, "", object()]
TASK_FIELDS = [field.name for field in fields(FakeTask) if field.name != "uuid"]
WORKER_FIELDS = [field.name for field in fields(FakeWorker) if field.name not in ("hostname", "counts")]
OWN_TAGS = frozenset(
    "html head meta title link script body a header div nav main p h1 h2 h3 span strong svg use label select option "
    "button form input ul ol li dl dt dd table caption thead tbody tfoot tr th td time details summary pre code kbd "
    "dialog section noscript progress rect aside mark path figure figcaption".split()
)


def check(page):
    for tag, attributes in page.elements:
        assert tag in OWN_TAGS, tag
        assert tag != "script" or attributes.get("src", "").startswith("/static/"), attributes
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, attributes)
            assert name != "style", (tag, attributes)
            if name in ("href", "src", "action", "formaction"):
                assert (value or "").startswith(("/", "#")), (tag, attributes)
                assert not (value or "").startswith("//"), (tag, attributes)


def visit(made, uuid="t"):
    bulk = [f"/tasks/confirm?action={action}" for action in ("revoke", "terminate", "export")]
    for path in (
        "/",
        "/?by=task",
        "/?by=queue",
        "/task-types",
        "/broker",
        "/workers",
        "/tasks",
        f"/task/{uuid}",
        f"/task/{uuid}/confirm?action=revoke",
        "/plugins",
        *bulk,
    ):
        check(made.page(path))
    made.json("/tasks/suggest?search=name:")
    made.json("/workers?json=1")
    made.json("/tasks/datatable?draw=1&start=0&length=10&order[0][column]=0")


def test_a_text_in_every_field_at_once_is_shown_as_text(site):
    task = FakeTask("t", **{name: EVIL for name in TASK_FIELDS if name not in ("children", "extra")})
    task.children, task.extra = [EVIL, "t"], {EVIL: EVIL, "done": EVIL, "total": EVIL}
    worker = FakeWorker("w", **dict.fromkeys(WORKER_FIELDS, EVIL))
    worker.counts = {EVIL: EVIL, "task-failed": EVIL}
    made = site(tasks=[task], workers=[worker, FakeWorker(EVIL)], tasks_columns="all")
    made.host.banner_list = [Banner(EVIL, EVIL)]
    made.host.status.up, made.host.status.reason = False, EVIL
    made.host.status.dropped = {EVIL: 3}
    made.host.status.gap_list = [Gap(1.0, 2.0, EVIL)]
    clean = EVIL.removesuffix("\ud800")  # What comes in events has no lone surrogates any more.
    made.host.problem_list = [Problem(clean, "error", clean, "/tasks")]
    made.host.queues.queues = [QueueStats(EVIL, 3, 2, 1, 0, clean)]
    rollups = made.host.rollups
    rollups.groups = [FailureGroup(clean, clean, 3, 1.0, 2.0, clean, "t")]
    for kind in ("task-failed", "task-succeeded"):
        rollups.add(kind, task=clean, worker=clean, queue=clean)
    rollups.measure("runtime", 1.0, task=clean)
    rollups.measure("wait", 1.0, task=clean)
    rollups.length(clean, 3)
    made.host.plugin_reports = [PluginReport(EVIL, EVIL, EVIL, EVIL, EVIL, [EVIL])]
    visit(made)
    page = made.page("/task/t")
    assert "<script>alert(1)</script>" in page.text
    assert "49" not in page.text


def read_all(made, parse, paths):
    """Fetch and check many pages of one server."""

    async def scenario(client):
        for path in paths:
            response = await client.fetch(path)
            assert response.code == 200, (path, response.body)
            check(parse(response.body.decode()))

    made.serve(scenario)


def test_a_task_field_of_another_type_is_no_error(site, parse):
    fakes = [
        FakeTask(f"t-{field}-{number}", **{field: value})
        for field in TASK_FIELDS
        for number, value in enumerate(STRANGE)
        if field != "children" or isinstance(value, (list, str))
    ]
    listed = [task for task in fakes if isinstance(task.state, str)]
    made = site(tasks=listed, tasks_columns="all")
    made.json("/tasks/datatable?draw=1&start=0&length=1000&order[0][column]=0")
    read_all(made, parse, ["/tasks?limit=1000", "/tasks?limit=1000&sort_by=runtime"])
    read_all(site(tasks=fakes), parse, [f"/task/{task.uuid}" for task in fakes])


def test_a_worker_field_of_another_type_is_no_error(site, parse):
    fakes = [
        FakeWorker(f"w-{field}-{number}", **{field: value})
        for field in WORKER_FIELDS
        for number, value in enumerate(STRANGE)
        if field != "heartbeats"
    ]
    made = site(workers=fakes)
    assert len(made.json("/workers?json=1")["data"]) == len(fakes)
    read_all(made, parse, ["/workers?limit=1000", *(f"/worker/{worker.hostname}" for worker in fakes)])


def test_a_worker_that_is_not_named_by_a_text_is_listed(site):
    made = site(workers=[FakeWorker(5)])  # type: ignore[arg-type]
    assert "5" in made.page("/").text


REPLIES = "stats active_queues registered conf active scheduled reserved revoked timestamp".split()
SHAPES = [EVIL, [EVIL], {EVIL: EVIL}, [[EVIL]], [{EVIL: EVIL}], 5, None, [None], {"pool": EVIL, "total": [EVIL]}]


def test_an_inspect_reply_of_any_shape_is_no_error(site, parse):
    names = [f"{method}-{number}" for method in REPLIES for number in range(len(SHAPES))]
    made = site(workers=[FakeWorker(name) for name in names])
    made.host.inspect.replies = {
        f"{method}-{number}": {method: shape} for method in REPLIES for number, shape in enumerate(SHAPES)
    }
    read_all(made, parse, [f"/worker/{name}" for name in names])


def test_every_value_of_a_usual_inspect_reply_is_escaped(site):
    request = {"id": EVIL, "name": EVIL, "args": [EVIL], "kwargs": {EVIL: EVIL}, "worker_pid": EVIL, "time_start": EVIL}
    made = site()
    made.host.inspect.replies["w1@shop"] = {
        "stats": {"pool": {EVIL: EVIL}, "broker": {EVIL: EVIL}, "total": {EVIL: 3}, "rusage": {EVIL: EVIL}, EVIL: EVIL},
        "active_queues": [{"name": EVIL, "exchange": EVIL, "alias": {EVIL: EVIL}}],
        "active": [request],
        "reserved": [request],
        "scheduled": [{"eta": EVIL, "request": request}],
        "revoked": [EVIL],
        "registered": [EVIL],
        "conf": {EVIL: EVIL},
    }
    check(made.page("/worker/w1@shop"))


def test_the_search_text_and_filters_of_a_url_are_escaped(site):
    evil = "%22%3E%3Cx-evil%3E"
    check(site().page(f"/tasks?search=a{evil}%22&state={evil}&worker={evil}&name={evil}&queue={evil}&sort_by=-{evil}"))
    check(site().page(f"/tasks?columns={evil}&search={evil}%22"))
    check(site().page(f"/tasks/confirm?action=export&search={evil}&ids={evil}"))
    check(site().page(f"/workers?search={evil}&sort_by={evil}"))
    check(site().page(f"/task/a?flash={evil}&target={evil}"))
