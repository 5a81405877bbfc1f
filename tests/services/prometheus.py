"""A private Prometheus that asks one address for its figures, once a second."""

from pathlib import Path
from typing import Any

import requests

from tests.services.processes import Server, ServerCommand, clean_environment, free_port, own, private_folder

CONF = """\
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: helpdesk
    static_configs: [{{ targets: ["{target}"] }}]
"""


class Prometheus:
    """One Debian Prometheus on a free port of 127.0.0.1."""

    def __init__(self, folder: Path, target: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        conf = private_folder(folder) / "prometheus.yml"
        conf.write_text(CONF.format(target=target))
        own(conf)
        options = {
            "config.file": str(conf),
            "storage.tsdb.path": str(folder / "data"),
            "web.listen-address": self.url.removeprefix("http://"),
        }
        command = ServerCommand(
            name="prometheus",
            argv=("prometheus", *(f"--{name}={value}" for name, value in options.items())),
            log=folder / "prometheus.log",
            env=clean_environment({}, folder),
            cwd=folder,
        )
        self._server = Server(command).wait_ready(self._is_ready, within_s=30)

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.RequestException:
            return False

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate PromQL now; return its series. Fails where Prometheus refuses the expression."""
        answer = requests.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        assert answer.ok, f"{expression}: {answer.json().get('error')}"
        return list(answer.json()["data"]["result"])

    def stop(self) -> None:
        """End it."""
        self._server.stop()
