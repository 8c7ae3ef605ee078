"""The reads that both Flowers are asked, and every difference that is meant, with its reason."""

from __future__ import annotations

from collections.abc import Mapping

from tests.compat.rows import ANYTHING, Difference, lines

__all__ = ["CLOSED", "DIFFERENT", "EXTRA", "SAME", "VALUES", "WITHOUT_A_BROKER"]

EXTRA: Mapping[str, frozenset[str]] = {"GET /api/task/info/": frozenset(("task-id",))}
"""Keys that ours adds: `task-id`, because older documentation shows that name."""

VALUES = (
    (
        r"\{sent\}/clock|info/\{sent\} /clock",
        "while no worker has heard of a task, its clock is the client's; 2.2.0 puts its own in place of that",
    ),
    (
        r"/workers.* /w1@test/stats/broker: only ours: \['alternates'\], only theirs: \[\]",
        "the alternates of a broker are kept, the passwords in their URLs masked",
    ),
    (
        r"/workers\?json=1 /data/\d+: only ours: \['skew'\], only theirs: \[\]",
        "ours tells how far a worker's clock is off",
    ),
)
"""Values that differ: what the request and the value's path look like, and why."""

SAME = lines("""
GET /api/tasks
GET /api/task/types
GET /api/task/info/{added}
GET /api/task/info/{paid}
GET /api/task/info/{failed}
GET /api/task/info/{retried}
GET /api/task/info/{waiting}
GET /api/task/info/{progressing}
GET /api/task/info/{running}
GET /api/task/info/{terminated}
GET /api/task/info/{revoked}
GET /api/task/info/{unregistered}
GET /api/task/info/{sent}
GET /api/task/info/nope
GET /api/task/info/
GET /api/task/info/a%2Fb
GET /api/task/info/a&b
GET /api/task/info/%3Cb%3E
GET /api/tasks?limit=2
GET /api/tasks?limit=0
GET /api/tasks?limit=-1
GET /api/tasks?limit=xyz
GET /api/tasks?limit=1.5
GET /api/tasks?limit=
GET /api/tasks?limit=%201
GET /api/tasks?limit=1_0
GET /api/tasks?limit=1&limit=3
GET /api/tasks?limit=99999999999999999999999
GET /api/tasks?limit=2&offset=2
GET /api/tasks?offset=3
GET /api/tasks?offset=-3
GET /api/tasks?offset=abc
GET /api/tasks?offset=
GET /api/tasks?offset=1000
GET /api/tasks?offset=99999999999999999999999
GET /api/tasks?sort_by=name
GET /api/tasks?sort_by=-name
GET /api/tasks?sort_by=--name
GET /api/tasks?sort_by=state
GET /api/tasks?sort_by=-state
GET /api/tasks?sort_by=received
GET /api/tasks?sort_by=-received
GET /api/tasks?sort_by=started
GET /api/tasks?sort_by=-started
GET /api/tasks?sort_by=bogus
GET /api/tasks?sort_by=uuid
GET /api/tasks?sort_by=-received&limit=3&offset=1&state=SUCCESS
GET /api/tasks?workername=w1@test
GET /api/tasks?workername=W1@TEST
GET /api/tasks?workername=%20w1@test%20
GET /api/tasks?workername=nope
GET /api/tasks?workername=All
GET /api/tasks?workername=
GET /api/tasks?taskname=tests.system.cluster.add
GET /api/tasks?taskname=TESTS.system.cluster.ADD
GET /api/tasks?taskname=add
GET /api/tasks?taskname=All
GET /api/tasks?taskname=
GET /api/tasks?state=SUCCESS
GET /api/tasks?state=success
GET /api/tasks?state=PROGRESS
GET /api/tasks?state=REVOKED
GET /api/tasks?state=All
GET /api/tasks?state=
GET /api/tasks?state=bogus
GET /api/tasks?state=SUCCESS&taskname=tests.system.cluster.add&workername=w1@test
GET /api/tasks?state=FAILURE&state=SUCCESS
GET /api/tasks?received_start=
GET /api/tasks?received_end=
GET /api/tasks?unknown=1
GET /api/tasks?search=
GET /api/tasks?search=add
GET /api/tasks?search=ADD
GET /api/tasks?search=order
GET /api/tasks?search=SUCCESS
GET /api/tasks?search={added}
GET /api/tasks?search=uuid:xyz
GET /api/tasks?search=state:FAILURE
GET /api/tasks?search=state:failure
GET /api/tasks?search=STATE:failure
GET /api/tasks?search=state:FAILURE%20state:SUCCESS
GET /api/tasks?search=name:add
GET /api/tasks?search=name:%22add%22
GET /api/tasks?search=name:-abc
GET /api/tasks?search=name:add%20state:success
GET /api/tasks?search=name:add%20AND%20state:success
GET /api/tasks?search=name:fail%20OR%20state:STARTED
GET /api/tasks?search=(name:fail%20OR%20state:STARTED)%20worker:w1@
GET /api/tasks?search=name:fail%20OR%20name:add%20AND%20state:SUCCESS
GET /api/tasks?search=worker:test
GET /api/tasks?search=args:order
GET /api/tasks?search=args:%22no%20such%22
GET /api/tasks?search=kwargs:seconds
GET /api/tasks?search=kwargs:seconds=0.0
GET /api/tasks?search=kwargs:seconds=0.1
GET /api/tasks?search=kwargs:x=1
GET /api/tasks?search=result:paid
GET /api/tasks?search=%22no%20such%20order%22
GET /api/tasks?search=%22AND%22
GET /api/tasks?search=%22unfinished
GET /api/tasks?search=(((name:add
GET /api/tasks?search=((((((name:add))))))
GET /api/tasks?search=()
GET /api/tasks?search=AND
GET /api/tasks?search=state:x%20OR
GET /api/tasks?search=name:
GET /api/tasks?search=add&sort_by=name&limit=2
GET /api/workers
GET /api/workers?status=1
GET /api/workers?status=true&workername=nope
GET /api/workers?status=0
GET /api/workers?status=bogus
GET /api/workers?workername=w1@test
GET /api/workers?workername=W1@TEST
GET /api/workers?workername=nope
GET /api/workers?workername=
GET /api/workers?refresh=notabool
GET /api/workers?refresh=1
GET /api/workers?refresh=1&workername=w1@test
GET /api/workers?refresh=1&workername=nope
GET /api/queues/length
GET /workers?json=1
GET /tasks/datatable?draw=7&start=0&length=20&order[0][column]=0&columns[0][data]=name&order[0][dir]=desc&search[value]=
GET /tasks/datatable?draw=7&start=0&length=9&order[0][column]=1&columns[1][data]=received&order[0][dir]=asc
GET /tasks/datatable?draw=7&start=0&length=9&order[0][column]=0&columns[0][data]=runtime&search[value]=name:add
GET /tasks/datatable?draw=7&start=0&length=2&order[0][column]=0&columns[0][data]=uuid&search[value]=%22x
GET /tasks/datatable?draw=1&start=0&length=0&order[0][column]=0
GET /tasks/datatable?draw=1&start=-5&length=-1&order[0][column]=0
GET /tasks/datatable?draw=1&start=2&length=3&order[0][column]=0&columns[0][data]=state
GET /healthcheck
POST /api/tasks
POST /api/task/types
POST /api/task/info/{added}
POST /api/workers
POST /api/queues/length
PUT /api/tasks
OPTIONS /api/tasks
""")

_TIMES = "ISO 8601 is taken too, and the message says so"
_UNTIMED = "a task without that time does not pass a filter by it"
_SLASH = "a trailing slash makes no difference"
_STARTED = "`started_start` and `started_end`, which older versions had and 2.2.0 ignores, work"
_SEARCH = "the search language knows more: docs/search.md"
_PAGES = "an error of a page is a page for whoever does not ask for JSON"
_OLD, _NEW = "expected format 'YYYY-MM-DD HH:MM'", "expected format 'YYYY-MM-DD HH:MM' or ISO 8601"
_STARTED_WRONG = "Invalid started_start or started_end, "
_RECEIVED = "Invalid received_start or received_end, "

DIFFERENT = (
    Difference(
        "GET /api/tasks?sort_by=",
        (500, ""),
        (400, "Invalid sort_by '', expected one of name, received, started, state"),
        "bad input is never a 500",
    ),
    Difference("GET /api/tasks?workername=all", (200, []), (200, ANYTHING), "`All` is understood in any case"),
    Difference("GET /api/tasks?received_start=2090-01-01%2000:00", (200, ANYTHING), (200, []), _UNTIMED),
    Difference("GET /api/tasks?received_end=2020-01-01%2000:00", (200, ANYTHING), (200, []), _UNTIMED),
    Difference("GET /api/tasks?received_start=bogus", (400, _RECEIVED + _OLD), (400, _RECEIVED + _NEW), _TIMES),
    Difference(
        "GET /api/tasks?received_end=2026-13-45%2000:00", (400, _RECEIVED + _OLD), (400, _RECEIVED + _NEW), _TIMES
    ),
    Difference("GET /api/tasks?received_end=2020-01-01", (400, _RECEIVED + _OLD), (200, []), _TIMES),
    Difference("GET /api/tasks?received_end=2020-01-01T00:00:00Z", (400, _RECEIVED + _OLD), (200, []), _TIMES),
    Difference("GET /api/tasks?started_start=2090-01-01%2000:00", (200, ANYTHING), (200, []), _STARTED),
    Difference("GET /api/tasks?started_end=2020-01-01%2000:00", (200, ANYTHING), (200, []), _STARTED),
    Difference(
        "GET /api/tasks?started_end=x",
        (200, ANYTHING),
        (400, _STARTED_WRONG + _NEW),
        _STARTED,
    ),
    Difference("GET /api/tasks?after=x", (200, ANYTHING), (400, ["error"]), "pages are continued by a cursor"),
    Difference("GET /api/tasks?search=zz", (400, ["error"]), (200, []), "terms of one and two characters work"),
    Difference("GET /api/tasks?search=xxx%20or%20yyy", (400, ["error"]), (200, []), "so does the word `or`"),
    Difference("GET /api/tasks?search=NOT%20a", (400, ["error"]), (200, ANYTHING), _SEARCH),
    Difference("GET /api/tasks?search=-name:a", (400, ["error"]), (200, ANYTHING), _SEARCH),
    Difference("GET /api/tasks?search=exception:order", (200, []), (200, ["{failed}"]), _SEARCH),
    Difference("GET /api/tasks/", (404, ANYTHING), (200, ANYTHING), _SLASH),
    Difference("GET /api/task/types/", (404, ANYTHING), (200, ["task-types"]), _SLASH),
    Difference("GET /api/workers/", (404, ANYTHING), (200, ["w1@test"]), _SLASH),
    Difference("GET /api/queues/length/", (404, ANYTHING), (200, ["active_queues"]), _SLASH),
    Difference(
        "GET /api/nope",
        (404, ANYTHING),
        (404, "No such route: /api/nope. /api/docs lists them."),
        "the API answers scripts, not with pages",
    ),
    Difference("GET /tasks/datatable?start=0&length=2", (400, "Missing argument draw"), (400, ANYTHING), _PAGES),
    Difference(
        "GET /tasks/datatable?draw=x&start=0&length=2&order[0][column]=0",
        (400, "Invalid argument 'x' of type 'int'"),
        (400, ANYTHING),
        _PAGES,
    ),
    Difference("HEAD /api/tasks", (405, ""), (200, ""), "HEAD works wherever GET does"),
    Difference("HEAD /healthcheck", (405, ""), (200, ""), "HEAD works wherever GET does"),
)

CLOSED = lines("""
GET /api/tasks
GET /api/task/types
GET /api/task/info/nope
GET /api/workers
GET /api/workers?refresh=1
GET /api/queues/length
POST /api/tasks
""")
"""What is refused alike where neither a login nor the environment variable opens the API."""

WITHOUT_A_BROKER = (
    Difference(
        "GET /api/queues/length",
        (500, ""),
        (503, ANYTHING),
        "an outage is a 503 with the reason",
    ),
)
"""The differences while nobody listens at the broker's address."""
