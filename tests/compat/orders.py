"""The orders, calls and questions for results that both Flowers are sent, and every difference that is meant.

Most are refused: what an accepted order does to a worker is the matter of the system tests.
"""

from __future__ import annotations

from tests.compat.rows import ANYTHING, Difference, lines

__all__ = ["CLOSED", "DIFFERENT", "READ_ONLY", "SAME", "WITHOUT_A_BROKER"]

SAME = lines("""
GET /api/task/result/{added}
GET /api/task/result/{failed}
GET /api/task/result/{waiting}
GET /api/task/result/{revoked}
GET /api/task/result/nope
GET /api/task/result/{added}?timeout=0
GET /api/task/result/{waiting}?timeout=0.1
GET /api/task/result/{added}?timeout=x
GET /api/task/result/{added}?timeout=
GET /api/task/apply/nope
GET /api/task/revoke/x
GET /api/worker/shutdown/w1@test
POST /api/task/result/{added}
POST /api/worker/shutdown/nope
POST /api/worker/pool/restart/nope
POST /api/worker/pool/grow/nope
POST /api/worker/pool/grow/nope?n=x
POST /api/worker/pool/grow/w1@test?n=x
POST /api/worker/pool/grow/w1@test?n=1.5
POST /api/worker/pool/grow/w1@test?n=
POST /api/worker/pool/shrink/nope
POST /api/worker/pool/shrink/w1@test?n=x
POST /api/worker/pool/autoscale/nope
POST /api/worker/pool/autoscale/w1@test
POST /api/worker/pool/autoscale/w1@test?min=1
POST /api/worker/pool/autoscale/w1@test?min=x&max=2
POST /api/worker/pool/autoscale/w1@test?min=1&max=3
POST /api/worker/queue/add-consumer/nope
POST /api/worker/queue/add-consumer/nope?queue=x
POST /api/worker/queue/add-consumer/w1@test
POST /api/worker/queue/add-consumer/w1@test?queue=
POST /api/worker/queue/cancel-consumer/nope
POST /api/worker/queue/cancel-consumer/w1@test
POST /api/worker/queue/cancel-consumer/w1@test?queue=neverused
POST /api/task/timeout/nope?workername=nope
POST /api/task/timeout/tests.system.cluster.add
POST /api/task/timeout/tests.system.cluster.add?workername=nope
POST /api/task/timeout/tests.system.cluster.add?workername=w1@test&soft=x
POST /api/task/timeout/tests.system.cluster.add?workername=w1@test&hard=x
POST /api/task/rate-limit/tests.system.cluster.add
POST /api/task/rate-limit/tests.system.cluster.add?workername=w1@test
POST /api/task/rate-limit/tests.system.cluster.add?workername=nope&ratelimit=1
POST /api/task/rate-limit/tests.system.cluster.add?workername=w1@test&ratelimit=garbage
POST /api/task/revoke/{waiting}?terminate=maybe
POST /api/task/revoke/nope
POST /api/task/abort/nope
POST /api/task/apply/nope
POST /api/task/async-apply/nope
POST /api/task/async-apply/tests.system.cluster.add {
POST /api/task/async-apply/tests.system.cluster.add []
POST /api/task/async-apply/tests.system.cluster.add "x"
POST /api/task/async-apply/tests.system.cluster.add 5
POST /api/task/async-apply/tests.system.cluster.add null
POST /api/task/async-apply/tests.system.cluster.add {"args": 5}
POST /api/task/async-apply/tests.system.cluster.add {"args": {}}
POST /api/task/async-apply/tests.system.cluster.add {"eta": "soon"}
POST /api/task/async-apply/tests.system.cluster.add {"countdown": "x"}
POST /api/task/async-apply/tests.system.cluster.add {"expires": "x"}
POST /api/task/apply/tests.system.cluster.add {
POST /api/task/apply/tests.system.cluster.add []
POST /api/task/apply/tests.system.cluster.add {"args": 5}
POST /api/task/apply/tests.system.cluster.add {"timeout": "x"}
POST /api/task/apply/tests.system.cluster.add {"timeout": []}
POST /api/task/send-task/x.y {
POST /api/task/send-task/x.y []
POST /api/task/send-task/x.y {"args": 5}
""")

_ADD = "POST /api/task/async-apply/tests.system.cluster.add"
_NEVER_500 = "bad input is never a 500"
_MISSING = "Invalid arguments of 'tests.system.cluster.add': missing a required argument: "
_ALLOWED = "options are those that Celery documents"
_FIRST = "the task is looked for before anything else, in every route"
_WORDS = "the API answers scripts, not with pages"

DIFFERENT = (
    Difference(
        "GET /api/task/result/{added}?timeout=-1",
        (200, ["task-id", "state", "result"]),
        (400, "Invalid argument '-1': timeout is at least 0"),
        "a wait is between 0 and 60 seconds",
    ),
    Difference(
        "GET /api/task/result/{added}?timeout=nan",
        (200, ["task-id", "state", "result"]),
        (400, "Invalid argument 'nan' of type 'float'"),
        "a wait is between 0 and 60 seconds",
    ),
    Difference("GET /api/task/result/", (404, ANYTHING), (404, ANYTHING), _WORDS),
    Difference("POST /api/worker/shutdown/", (404, ANYTHING), (404, ANYTHING), _WORDS),
    Difference("POST /api/task/revoke/", (404, ANYTHING), (404, ANYTHING), _WORDS),
    Difference(
        "POST /api/task/timeout/nope", (400, "Missing argument workername"), (404, "Unknown task 'nope'"), _FIRST
    ),
    Difference(
        "POST /api/task/rate-limit/nope", (400, "Missing argument workername"), (404, "Unknown task 'nope'"), _FIRST
    ),
    Difference(_ADD, (500, ""), (400, _MISSING + "'a'"), _NEVER_500),
    Difference(_ADD + ' {"args": [1]}', (500, ""), (400, _MISSING + "'b'"), _NEVER_500),
    Difference(_ADD + ' {"kwargs": []}', (500, ""), (400, "kwargs must be an object"), _NEVER_500),
    Difference(_ADD + ' {"eta": 5}', (500, ""), (400, "Invalid option"), _NEVER_500),
    Difference(_ADD + ' {"countdown": null}', (500, ""), (400, _MISSING + "'a'"), "null is the same as absent"),
    Difference(_ADD + ' {"countdown": NaN}', (500, ""), (400, ANYTHING), _NEVER_500),
    Difference(_ADD + ' {"bogus": 1}', (500, ""), (400, ANYTHING), _ALLOWED),
    Difference(_ADD + ' {"args": [1, 2], "connection": "x"}', (500, ""), (400, ANYTHING), _ALLOWED),
    Difference(
        'POST /api/task/apply/tests.system.cluster.add {"args": [1]}', (500, ""), (400, _MISSING + "'b'"), _NEVER_500
    ),
    Difference(
        'POST /api/task/send-task/x.y {"kwargs": []}',
        (200, ["task-id", "state"]),
        (400, "kwargs must be an object"),
        "what no worker could read is not published",
    ),
    Difference(
        'POST /api/task/send-task/x.y {"countdown": "2"}',
        (500, ""),
        (200, ["task-id", "state"]),
        "`send-task` reads options like `async-apply`",
    ),
)

CLOSED = lines("""
POST /api/worker/shutdown/w1@test
POST /api/worker/pool/grow/w1@test
POST /api/task/async-apply/tests.system.cluster.add {"args": [1, 2]}
POST /api/task/send-task/x.y
POST /api/task/revoke/x
GET /api/task/result/x
""")
"""What is refused alike where neither a login nor the environment variable opens the API."""

READ_ONLY = lines("""
POST /api/worker/shutdown/nope
POST /api/worker/pool/restart/nope
POST /api/worker/pool/grow/nope?n=x
POST /api/worker/queue/add-consumer/nope
POST /api/task/apply/nope
POST /api/task/async-apply/nope {
POST /api/task/send-task/x.y
POST /api/task/timeout/nope
POST /api/task/rate-limit/nope
POST /api/task/abort/x
POST /api/task/revoke/x
""")
"""What is refused alike in read-only mode, whatever else is wrong with it."""

WITHOUT_A_BROKER = lines("""
POST /api/task/revoke/x
POST /api/task/abort/x
GET /api/task/result/x
""")
"""What is answered alike, with 503, while nobody listens at the broker's address. 2.2.0 takes 19 s to answer 500 to
what publishes a task, so that is not waited for here."""
