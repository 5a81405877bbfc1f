"""Style sheets, scripts and pictures under an address that changes with their content.

A page needs thirty of them. Under a lasting address each page load would ask thirty times whether they
are still the same; this way browsers keep them for good and ask for nothing. Scripts import each other
by relative addresses, so all of them move together.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FOLDER = Path(__file__).with_name("static")
YEAR_S = 31_536_000
# Answers differ for nobody, whoever asks; and a kept answer must not carry somebody's session.
PERSONAL = frozenset({"vary", "set-cookie", "cache-control", "expires"})


def url_path(folder: Path = FOLDER) -> str:
    """Return the address of the folder's files: `/static/` and a digest of what they hold."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"


class Assets:
    """WSGI layer that has browsers keep what lies under `url_path`."""

    def __init__(self, app: "WSGIApplication", url_path: str) -> None:
        self._app = app
        self._prefix = f"{url_path}/"

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer; only files that are there are kept."""

        def start(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            if status[:3] in {"200", "206", "304"}:
                headers = [(name, value) for name, value in headers if name.lower() not in PERSONAL]
                headers.append(("Cache-Control", f"public, max-age={YEAR_S}, immutable"))
            return start_response(status, headers, *rest)  # type: ignore[arg-type]

        is_asset = environ.get("PATH_INFO", "").startswith(self._prefix)
        return self._app(environ, start if is_asset else start_response)  # type: ignore[arg-type]
