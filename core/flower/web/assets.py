"""Static files of plugins, under names that change with their content."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from flower_plugins import NotFound, Route
from flower_plugins.web import Handler

__all__ = ["AssetFiles", "asset_route"]

_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".js": "text/javascript; charset=UTF-8",
    ".mjs": "text/javascript; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
}


class AssetFiles:
    """The static files of plugins, listed once at the start; a path that is not in the list is nothing."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._paths = {
            (plugin, path.relative_to(folder).as_posix()): path
            for plugin, folder in folders.items()
            for path in folder.rglob("*")
            if path.is_file() and path.resolve().is_relative_to(folder.resolve())
        }
        self._loaded: dict[tuple[str, str], tuple[bytes, str]] = {}

    def digest(self, plugin: str, file: str) -> str:
        """Return the first 16 hex digits of the file's SHA-256. Raise NotFound for a file that is not there."""
        return self._load(plugin, file)[1]

    def read(self, plugin: str, file: str) -> bytes:
        """Return the file. Raise NotFound for a file that is not there."""
        return self._load(plugin, file)[0]

    def _load(self, plugin: str, file: str) -> tuple[bytes, str]:
        place = plugin, file
        if place not in self._loaded:
            if place not in self._paths:
                raise NotFound("Error, page not found")
            content = self._paths[place].read_bytes()
            self._loaded[place] = content, hashlib.sha256(content).hexdigest()[:16]
        return self._loaded[place]


class AssetHandler(Handler):
    """Serves one file."""

    def get(self) -> None:
        """Answer with the file, cached for good when the request names its content hash."""
        plugin, file = self.path["plugin"], self.path["file"]
        files: AssetFiles = self.route.options["files"]
        content, digest = files.read(plugin, file), files.digest(plugin, file)
        suffix = Path(file).suffix
        self.set_header(
            "Content-Type", _TYPES.get(suffix) or mimetypes.guess_type(file)[0] or "application/octet-stream"
        )
        self.set_header("Cache-Control", _FOREVER if self.get_query_argument("v", "") == digest else "no-cache")
        self.finish(content)


def asset_route(files: AssetFiles) -> Route:
    """Return the route that serves every plugin's files."""
    return Route(
        r"/static/(?P<plugin>[a-z0-9_]+)/(?P<file>[^\\]+)",
        AssetHandler,
        access="public",
        surface="page",
        name="static file",
        help="A plugin's scripts, styles and images.",
        options={"files": files},
    )
