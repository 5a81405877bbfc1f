"""The shipped dashboard: whole, and every figure it asks for is one that /metrics has, rightly labelled."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

import daemon
from tests.web.house import House
from tests.web.test_metrics import scraped, wait_until, work

FILE = Path(daemon.__file__).parent / "systemd" / "grafana.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
TARGETS_OWN = {"instance", "job"}  # labels that Prometheus itself adds
METRIC = re.compile(r"\b(helpdesk_\w+)(?:\{([^}]*)\})?")
GROUPS = re.compile(r"\bby \(([^)]*)\)")
LEGEND = re.compile(r"\{\{(\w+)\}\}")


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    """The file, as Grafana reads it."""
    return dict(json.loads(FILE.read_text("utf-8")))


def targets(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all that panels ask for."""
    for panel in dashboard["panels"]:
        yield from panel.get("targets", [])


@pytest.fixture
def shown(house: House) -> dict[str, set[str]]:
    """The labels of each sample that /metrics shows once everything has happened once."""
    ann = house.add_user("ann")
    work(house.database, ann, house)
    house.live.start()
    wait_until(house.live.is_fresh, 10)
    house.browser("ann").get("/notifications")
    return {name: set().union(*(s.labels for s in found)) for name, found in scraped(house).items()}


def test_the_file_is_a_dashboard(dashboard: dict[str, Any]) -> None:
    assert dashboard["title"] == dashboard["uid"] == "helpdesk"
    assert dashboard["schemaVersion"] >= 36
    assert "id" not in dashboard, "an id of another Grafana would be refused"
    assert len(dashboard["panels"]) > 15


def read_back(dashboard: dict[str, Any]) -> dict[str, Any]:
    """Return what Grafana's own model of a dashboard has kept of it."""
    register_default_plugins()
    return dict(json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard))))


def lost(given: Any, kept: Any) -> Iterator[str]:
    """Yield the places where something given was not kept; what was filled in does not matter."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            yield from (f"{key}/{place}" for place in lost(value, kept.get(key)))
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, pair in enumerate(zip(given, kept, strict=True)):
            yield from (f"{number}/{place}" for place in lost(*pair))
    elif given != kept:
        yield repr(given)


def test_grafanas_own_model_knows_all_of_it(dashboard: dict[str, Any]) -> None:
    assert list(lost(dashboard, read_back(dashboard))) == []
    wrong = dashboard | {"titles": "helpdesk", "panels": [{"type": "stat", "fieldConfigs": {}}]}
    assert sorted(lost(wrong, read_back(wrong))) == ["panels/0/fieldConfigs/{}", "titles/'helpdesk'"]


def test_every_panel_is_told_apart_and_has_a_place(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and panel["type"] in {"row", "stat", "timeseries"} for panel in panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or apart, (one, other)


def test_whoever_loads_it_chooses_the_data_source(dashboard: dict[str, Any]) -> None:
    [variable] = dashboard["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    assert all(panel["datasource"] == SOURCE for panel in dashboard["panels"] if panel["type"] != "row")
    assert all(target["datasource"] == SOURCE for target in targets(dashboard))


def test_each_panel_asks_by_letters(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(letters)) == len(letters)
        assert letters or panel["type"] == "row"


def test_every_figure_and_label_exists(dashboard: dict[str, Any], shown: dict[str, set[str]]) -> None:
    for target in targets(dashboard):
        asked = METRIC.findall(target["expr"])
        assert asked, target["expr"]
        known = set(TARGETS_OWN)
        for name, matchers in asked:
            assert name in shown, target["expr"]
            known |= shown[name]
            assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= known, target["expr"]
        grouped = {label.strip() for group in GROUPS.findall(target["expr"]) for label in group.split(",")}
        assert grouped <= known, target["expr"]
        legend = set(LEGEND.findall(target["legendFormat"]))
        assert legend <= (grouped or known), (target["expr"], target["legendFormat"])


def test_the_expressions_are_balanced_and_rates_are_of_counters(dashboard: dict[str, Any]) -> None:
    for target in targets(dashboard):
        expression = target["expr"]
        for opening, closing in ("()", "[]", "{}"):
            assert expression.count(opening) == expression.count(closing), expression
        for name in re.findall(r"rate\((\w+)", expression):
            assert name.endswith(("_total", "_bucket", "_sum", "_count")), expression
        for name in re.findall(r"(\w+_(?:total|bucket))\b", expression):
            assert f"rate({name}" in expression, expression


def test_every_figure_of_ours_is_on_it(dashboard: dict[str, Any], shown: dict[str, set[str]]) -> None:
    """What nobody looks at need not be measured; these are for alerts, and for sums of one's own."""
    expressions = " ".join(target["expr"] for target in targets(dashboard))
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in shown}
    unseen = {name for name in families if name.startswith("helpdesk_") and name not in expressions}
    assert unseen == {
        "helpdesk_job_changes_total",
        "helpdesk_job_interval_seconds",
        "helpdesk_job_last_success_timestamp_seconds",
        "helpdesk_job_paused",
        "helpdesk_push_devices",
    }
