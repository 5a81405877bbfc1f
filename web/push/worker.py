"""The service worker's script. It lies at the top, as a worker may only act for what is below it."""

import json
from pathlib import Path

from flask import Blueprint, Response, current_app

from web.policy import Policy, allow

bp = Blueprint("worker", __name__)
SOURCE = Path(__file__).parents[1] / "static/sw.js"


@bp.get("/sw.js")
@allow(Policy.ANYBODY)
def script() -> Response:
    """Send the script, with the address of our pictures before it: a new version makes browsers update it."""
    assets = json.dumps(current_app.static_url_path)
    answer = Response(f"const ASSETS = {assets};\n{SOURCE.read_text()}", mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer
