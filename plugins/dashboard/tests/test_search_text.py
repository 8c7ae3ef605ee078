from __future__ import annotations

import pytest

from flower_dashboard.search_text import combine, lift_state


@pytest.mark.parametrize(
    ("search", "state", "rest"),
    [
        ("", "", ""),
        ("email", "", "email"),
        ("state:FAILURE", "FAILURE", ""),
        ("email STATE:failure invoice", "failure", "email invoice"),
        ('(a OR b) state:RETRY "two words"', "RETRY", '(a OR b) "two words"'),
        ("(state:FAILURE OR state:RETRY) timeout", "", "(state:FAILURE OR state:RETRY) timeout"),
        ("a OR state:FAILURE", "", "a OR state:FAILURE"),
        ("a AND state:FAILURE", "", "a AND state:FAILURE"),
        ("state:A state:B", "", "state:A state:B"),
        ('"state:FAILURE"', "", '"state:FAILURE"'),
        ('state:FAILURE "open', "", 'state:FAILURE "open'),
        ("(state:FAILURE", "", "(state:FAILURE"),
        ("state:", "", "state:"),
    ],
)
def test_a_lone_state_is_lifted_out_of_the_text(search, state, rest):
    assert lift_state(search) == (state, rest)


@pytest.mark.parametrize(
    ("search", "filters", "whole"),
    [
        ("", {}, ""),
        ("email", {"state": "", "worker": ""}, "email"),
        ("", {"state": "FAILURE", "worker": "w1@shop"}, "state:FAILURE worker:w1@shop"),
        ("a OR b", {"state": "FAILURE"}, "(a OR b) state:FAILURE"),
        ("(a OR b)", {"state": "FAILURE"}, "(a OR b) state:FAILURE"),
        ("", {"name": 'say "hi" (x)'}, r'name:"say \"hi\" (x)"'),
    ],
)
def test_filters_are_written_in_the_search_language(search, filters, whole):
    assert combine(search, **filters) == whole


def test_a_hostile_text_is_read_in_no_time():
    assert lift_state('"' + "a (" * 100_000)[0] == ""
