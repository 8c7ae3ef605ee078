"""Three minutes of churn, of which `make soak` does twenty."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.soak.run import report
from tests.soak.trial import soak


@pytest.mark.system
@pytest.mark.alone
@pytest.mark.timeout(240)
def test_nothing_grows_with_churn(need_service: Callable[[str], str]) -> None:
    """R49"""
    need_service("redis")
    outcome = soak(2.9)
    print(report(outcome))
    assert outcome.passed
