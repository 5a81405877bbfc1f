"""nginx in front of several viewers: any request and any WebSocket may go to any of them."""

from collections.abc import Sequence
from pathlib import Path

import requests

from tests.services.processes import Server, ServerCommand, clean_environment, free_port, private_folder

CONF = """\
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream viewers {{
        zone viewers 64k;
        {viewers}
    }}
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 55m;
        location / {{
            proxy_pass http://viewers;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_connect_timeout 2s;
            proxy_read_timeout 75s;
            proxy_next_upstream error timeout;
        }}
    }}
}}
"""
VIEWER = "server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;"


class Nginx:
    """One nginx on a free port of 127.0.0.1."""

    def __init__(self, folder: Path, viewers: Sequence[int]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = private_folder(folder)
        conf = folder / "nginx.conf"
        lines = "\n        ".join(VIEWER.format(port=port) for port in viewers)
        conf.write_text(CONF.format(folder=folder, viewers=lines, port=self.port))
        conf.chmod(0o644)
        options = ("-p", str(folder), "-c", str(conf), "-e", str(folder / "error.log"), "-g", "daemon off;")
        self._command = ServerCommand(
            name="nginx",
            argv=("nginx", *options),
            log=folder / "nginx.log",
            env=clean_environment({}, folder),
            cwd=folder,
        )
        self._server = self._started()

    def _started(self) -> Server:
        return Server(self._command).wait_ready(self._answers, within_s=10)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).status_code < 600  # 502: no viewer yet
        except requests.RequestException:
            return False

    def restart(self) -> None:
        """End it and start it again: every connection breaks."""
        self.stop()
        self._server = self._started()

    def stop(self) -> None:
        """End it."""
        self._server.stop()
