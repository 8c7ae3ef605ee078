from __future__ import annotations

from flower_dashboard.tracebacks import blocks

TRACEBACK = """Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/usr/lib/python3.11/site-packages/celery/app/trace.py", line 736, in __protected_call__
    return self.run(*args, **kwargs)
  File "/srv/shop/tasks.py", line 88, in charge
    gateway.charge(order)
    ~~~~~~~~~~~~~~^^^^^^^
shop.Declined: no
"""


def test_own_frames_stand_open_and_library_frames_are_folded_together():
    start, library, own, end = blocks(TRACEBACK)
    assert (start.text, end.text) == ("Traceback (most recent call last):", "shop.Declined: no")
    assert [frame.line for frame in library.frames] == ["453", "736"]
    assert library.folded
    assert not own.folded
    (frame,) = own.frames
    assert (frame.file, frame.line, frame.function) == ("/srv/shop/tasks.py", "88", "charge")
    assert frame.code == "gateway.charge(order)\n~~~~~~~~~~~~~~^^^^^^^"


def test_a_text_that_is_no_traceback_stays_as_it_is():
    (block,) = blocks("it broke\n\n  somewhere")
    assert block.text == "it broke\n\n  somewhere"
    assert blocks("") == []
