"""What the search box offers while somebody writes."""

from __future__ import annotations

from flower_dashboard.params import LONGEST_SEARCH
from flower_dashboard.suggestions import suggest, word_at
from flower_plugins.web import Handler

__all__ = ["SuggestTasks"]


class SuggestTasks(Handler):
    """`/tasks/suggest`; asked as soon as somebody goes to the search box, which is why searches are made ready."""

    def get(self) -> None:
        self.host.tasks.prepare_search()
        search = self.get_argument("search", "", strip=False)[:LONGEST_SEARCH]
        word = word_at(search, self.params["caret"])
        items = [{"insert": each.insert, "label": each.label, "hint": each.hint} for each in suggest(self.host, word)]
        self.set_header("Cache-Control", "no-store")
        self.send_json({"start": word.start, "end": word.end, "items": items})
