from __future__ import annotations

import os
import subprocess
import sys

from flower.demo.lifeline import Lifeline


def test_the_line_holds_as_long_as_the_other_end_is_open() -> None:
    far_end, near_end = os.pipe()
    lifeline = Lifeline(far_end)
    assert not lifeline.wait(0)
    os.close(near_end)
    assert lifeline.wait(0)
    os.close(far_end)


def test_a_process_group_ends_after_its_parent(tmp_path: object) -> None:
    far_end, near_end = os.pipe()
    program = (
        "import sys, time; from flower.demo import lifeline; lifeline._GRACE = 0;"
        "lifeline.Lifeline(int(sys.argv[1])).guard_process_group(); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(far_end)], pass_fds=(far_end,), start_new_session=True)
    os.close(far_end)
    os.close(near_end)
    assert child.wait(20) == -9
