"""What happened lately, in buckets of time: counts, durations, queue lengths, failures."""

from flower.state.rollups.store import Comparison, RollupStore
from flower.state.rollups.tallies import Tallies, Tally

__all__ = ["Comparison", "RollupStore", "Tallies", "Tally"]
