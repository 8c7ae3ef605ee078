"""nginx with the configuration the documentation prints, and nothing else changed."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from tests.system.servers import answers
from tests.system.support import Launcher, Process, RunningFlower, until

__all__ = ["DOCUMENTED", "PREFIXED", "listening", "start_nginx"]

DOCUMENTED = """
server {
    listen 80;
    server_name flower.example.com;
    charset utf-8;

    location / {
        proxy_pass http://localhost:5555;
        proxy_set_header Host $host;
        proxy_redirect off;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
    }
}
"""
PREFIXED = DOCUMENTED.replace("location / {", "location /flower {")
MAIN = """
daemon off;
user {user};
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {servers}
}}
"""


def listening(block: str, port: int, flower: RunningFlower) -> str:
    """Return a server block with nothing changed but the two ports."""
    target = flower.url.removesuffix("/flower").rpartition(":")[2]
    return block.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("localhost:5555", f"localhost:{target}")


def start_nginx(launcher: Launcher, program: str, folder: Path, servers: Mapping[int, str]) -> Process:
    """Start nginx with server blocks by their ports, and wait until it listens on each."""
    main = MAIN.format(user=pwd.getpwuid(os.getuid()).pw_name, servers="".join(servers.values()))
    (folder / "nginx.conf").write_text(main)
    nginx = launcher.start([program, "-p", str(folder), "-c", "nginx.conf"], cwd=folder)

    def listens() -> bool:
        assert nginx.popen.poll() is None, nginx.output()
        return all(answers(port) for port in servers)

    until(listens, "nginx listens")
    return nginx
