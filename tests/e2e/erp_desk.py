"""A viewer whose people log in by an ERP."""

import json
from pathlib import Path

from tests.e2e.viewer import ViewerUnderTest
from tests.erp.registry import CHECK_SQL, Registry
from tests.web.served import free_port

STATUSES = {"ann": "ok", "lou": "locked", "max": "expired", "eve": "expiring"}
ERP = """
[erp]
url = {url}
check_sql = {check_sql}
view = "users_view"
"""
AWAY = """
[erp]
url = "oracle+oracledb://127.0.0.1:{port}/?service_name=ERP"
mode = "connect"
"""


class ErpViewer(ViewerUnderTest):
    """One viewer and its ERP on SQLite; where it `is_away`, nobody listens at its address."""

    def __init__(self, directory: Path, *, is_away: bool = False) -> None:
        super().__init__(directory)
        self.registry = Registry(f"sqlite:///{directory / 'erp.db'}", directory)
        for name, status in STATUSES.items():
            self.registry.add(name.upper(), status=status, vpn=1, vpn_end_date="31.12.2026")
        table = ERP.format(url=json.dumps(self.registry.url), check_sql=json.dumps(CHECK_SQL))
        if is_away:
            table = AWAY.format(port=free_port())
        text = self._config.read_text().replace('backends = ["local"]', 'backends = ["erp", "local"]')
        self._config.write_text(text + table)

    def close(self) -> None:
        """Stop the viewer and let go of both databases."""
        super().close()
        self.registry.close()
