from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from flower_dashboard import plugin
from flower_dashboard.renderer import JinjaRenderer
from flower_plugins.testing import FakeHost, offer_context

OWN = plugin.flower_assets()[0].templates
ERROR = {"status": 404, "title": "Not found", "message": "Unknown task '<x-evil>'"}


def renderer(host, *folders):
    made = JinjaRenderer(offer_context(*plugin.flower_options()))
    made.open(host, [OWN, *folders])
    return made


def test_a_plugin_extends_the_layout_and_cannot_replace_it(tmp_path):
    (tmp_path / "layout.html").write_text("stolen")
    (tmp_path / "acme.html").write_text('{% extends "layout.html" %}{% block main %}<h1>{{ word }}</h1>{% endblock %}')
    html = renderer(FakeHost(url_prefix="/flower"), tmp_path).render("acme.html", {"word": "<x-evil>"})
    assert "<h1>&lt;x-evil&gt;</h1>" in html
    assert 'href="/flower/static/dashboard/css/app.css"' in html
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
