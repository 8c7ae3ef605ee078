"""History: what changed goes to the store, what the store holds comes back at the start."""

from flower.history.recorder import Recorder, Restored

__all__ = ["Recorder", "Restored"]
