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
    """Finds a plugin's static file and its content hash; both are remembered, files do not change at run time."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = {plugin: folder.resolve() for plugin, folder in folders.items()}
        self._loaded: dict[tuple[str, str], tuple[bytes, str]] = {}

    def digest(self, plugin: str, file: str) -> str:
        """Return the first 16 hex digits of the file's SHA-256. Raise NotFound for a file that is not there."""
        return self._load(plugin, file)[1]

    def read(self, plugin: str, file: str) -> bytes:
        """Return the file. Raise NotFound for a file that is not there."""
        return self._load(plugin, file)[0]

    def _load(self, plugin: str, file: str) -> tuple[bytes, str]:
        known = self._loaded.get((plugin, file))
        if known is not None:
            return known
        folder = self._folders.get(plugin)
        path = (folder / file).resolve() if folder is not None else None
        if folder is None or path is None or not path.is_relative_to(folder) or not path.is_file():
            raise NotFound("Error, page not found")
        content = path.read_bytes()
        self._loaded[(plugin, file)] = content, hashlib.sha256(content).hexdigest()[:16]
        return self._loaded[(plugin, file)]


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
