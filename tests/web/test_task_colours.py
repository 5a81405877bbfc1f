"""Colours of statuses and priorities: configured, usual, or made up but steady."""

from dataclasses import replace

import pytest

from tests.web.house import House
from web.task.colours import CLOSED, KNOWN, ORDINARY, URGENCY, priority_colour, status_colour
from web.viewer import EXTENSION


@pytest.fixture(autouse=True)
def _application(house: House):
    now = house.viewer
    tasks = now.settings.tasks.model_copy(
        update={"status_colors": {"Решено": "#00ff00"}, "priority_colors": {"Высокий": "#ff0000"}}
    )
    house.app.extensions[EXTENSION] = replace(now, settings=replace(now.settings, tasks=tasks))
    with house.app.app_context():
        yield


@pytest.mark.parametrize("name", ["Решено", " решено", "РЕШЕНО"])
def test_a_configured_colour_is_found_by_the_name(name):
    assert status_colour(3, name) == "#00ff00"


def test_a_configured_priority_wins_over_its_place():
    assert priority_colour(3, "Высокий", 0) == "#ff0000"


def test_statuses_that_redmine_brings_have_the_usual_colours():
    assert status_colour(2, "In Progress") == status_colour(2, "В работе") == KNOWN["in progress"]
    assert status_colour(3, "Решён") == KNOWN["решен"]


def test_a_closed_status_without_a_name_of_note_is_grey():
    assert status_colour(17, "Сдано", is_closed=True) == CLOSED


def test_an_open_status_without_a_name_of_note_keeps_its_own_colour():
    assert status_colour(17, "Ждём") == status_colour(17, "Переименован")
    assert status_colour(17, "Ждём") != status_colour(18, "Ждём")


def test_the_more_urgent_the_redder():
    assert [priority_colour(9, "?", place) for place in (0, 1, 4, 9)] == [
        URGENCY[0],
        URGENCY[1],
        URGENCY[4],
        URGENCY[4],
    ]


def test_a_priority_of_unknown_place_is_ordinary():
    assert priority_colour(9, "?") == ORDINARY
