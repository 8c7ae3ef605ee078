"""The search language of the tasks page: text in, a test for task records out."""

from flower.state.search.matcher import Search, holds, parse

__all__ = ["Search", "holds", "parse"]
