from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from flower_dashboard import plugin
from flower_dashboard.renderer import JinjaRenderer
from flower_plugins import Series
from flower_plugins.testing import FakeHost, FakeVisit, offer_context

OWN = plugin.flower_assets()[0].templates
ERROR = {"status": 404, "title": "Not found", "message": "Unknown task '<x-evil>'"}


def renderer(host, *folders, **settings):
    made = JinjaRenderer(offer_context(*plugin.flower_options(), **settings))
    made.open(host, [OWN, *folders])
    return made


def test_a_plugin_extends_the_layout_and_cannot_replace_it(tmp_path):
    (tmp_path / "layout.html").write_text("stolen")
    (tmp_path / "acme.html").write_text('{% extends "layout.html" %}{% block main %}<h1>{{ word }}</h1>{% endblock %}')
    html = renderer(FakeHost(url_prefix="/flower"), tmp_path).render("acme.html", {"word": "<x-evil>"})
    assert "<h1>&lt;x-evil&gt;</h1>" in html
    assert 'href="/flower/static/dashboard/css/base.css"' in html
    assert "stolen" not in html


def test_a_fragment_is_the_changing_part_alone(tmp_path):
    (tmp_path / "acme.html").write_text('{% extends "layout.html" %}{% block main %}here{% endblock %}')
    html = renderer(FakeHost(), tmp_path).render("acme.html", {"fragment": True})
    assert '<main id="main" tabindex="-1">here</main>' in html
    assert "<html" not in html
    assert "<nav" not in html


def test_a_name_nobody_defined_is_an_error(tmp_path):
    (tmp_path / "acme.html").write_text("{{ nothing }}")
    with pytest.raises(UndefinedError):
        renderer(FakeHost(), tmp_path).render("acme.html", {})


def test_lone_surrogates_can_be_sent(tmp_path):
    (tmp_path / "acme.html").write_text("{{ word }}")
    assert renderer(FakeHost(), tmp_path).render("acme.html", {"word": "a\ud800b"}) == "a?b"


def test_the_error_page_needs_no_visit_and_tells_strangers_nothing_of_the_cluster():
    host = FakeHost()
    host.banner_list = []
    html = renderer(host).render("error.html", ERROR)
    assert "Unknown task &#39;&lt;x-evil&gt;&#39;" in html
    assert "Event stream" not in html
    assert host.version not in html


def test_the_error_page_survives_a_broken_host():
    host = FakeHost()
    made = renderer(host)
    host.navigation = None  # type: ignore[assignment]
    html = made.render("error.html", ERROR)
    assert "<h1>404 Not found</h1>" in html
    assert "&lt;x-evil&gt;" in html


def test_a_plugin_draws_charts_of_series(tmp_path):
    (tmp_path / "acme.html").write_text(
        '{% import "charts.html" as charts with context %}{{ charts.figure(bars(counts), "a", "Counts") }}'
        '{{ charts.figure(lines(seconds), "b", "Seconds") }}{{ charts.figure(lines(lengths, "count"), "c", "L") }}'
        "{{ charts.spark(spark([1, None, 3]), 3) }}"
    )
    html = renderer(FakeHost(), tmp_path).render(
        "acme.html",
        {
            "counts": Series(1_800_000_000.0, 10, {"task-failed": [1.0, 2.0], "<x-evil>": [0.0, 1.0]}),
            "seconds": Series(1_800_000_000.0, 10, {"p50": [0.5, 1.5]}),
            "lengths": Series(1_800_000_000.0, 10, {"celery": [7.0, 8.0]}),
        },
    )
    assert 'aria-label="Counts: Failed 3; &lt;x-evil&gt; 1"' in html
    assert 'aria-label="Seconds: p50 1.50 s"' in html
    assert 'aria-label="L: celery 8"' in html
    assert 'class="fill-bad"' in html
    assert html.count('<svg class="spark"') == 1
    assert "<x-evil>" not in html


@pytest.mark.parametrize(("auto_refresh", "streams"), [(True, 1), (False, 0)])
def test_a_plugins_page_follows_topics_unless_pages_stand_still(tmp_path, auto_refresh, streams):
    (tmp_path / "acme.html").write_text('{% extends "layout.html" %}')
    html = renderer(FakeHost(), tmp_path, auto_refresh=auto_refresh).render(
        "acme.html", {"topics": ("tasks", "workers"), "visit": FakeVisit()}
    )
    assert html.count('data-stream="/stream?topics=tasks%2Cworkers"') == streams
