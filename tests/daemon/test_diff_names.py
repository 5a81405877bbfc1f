"""Names instead of ids, and the kinds of fields, in what an issue's journals say."""

import pytest

from daemon import diff
from daemon.clients.values import JournalDetail
from daemon.values import FieldChange
from tests.daemon.samples import (
    NAMES,
    PRIORITY,
    STATUS,
    attr,
    field,
    file,
    relation,
)


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (STATUS, FieldChange("status", "New", "In Progress")),
        (PRIORITY, FieldChange("priority", "Normal", "High")),
        (attr("tracker_id", "1", "2"), FieldChange("tracker", "Bug", "Feature")),
        (attr("project_id", "1", "2"), FieldChange("project", "Open project", "Закрытый круг")),
        (attr("assigned_to_id", "5", "6"), FieldChange("assigned_to", "Ann", "Боб")),
        (attr("assigned_to_id", None, "20"), FieldChange("assigned_to", None, "Support team")),
        (attr("assigned_to_id", "5", None), FieldChange("assigned_to", "Ann", None)),
        (attr("assigned_to_id", "5", ""), FieldChange("assigned_to", "Ann", None)),
        (attr("category_id", None, "1"), FieldChange("category", None, "Printers")),
        (attr("fixed_version_id", "4", None), FieldChange("fixed_version", "1.0", None)),
        (attr("status_id", "1", "99"), FieldChange("status", "New", "#99")),
        (attr("parent_id", None, "12"), FieldChange("parent", None, "#12")),
        (attr("parent_id", "12", "13"), FieldChange("parent", "#12", "#13")),
        (attr("child_id", "12", None), FieldChange("child", "#12", None)),
        (attr("subject", "Old", "New"), FieldChange("subject", "Old", "New")),
        (attr("description", "", "New"), FieldChange("description", None, "New")),
        (attr("start_date", None, "2026-03-01"), FieldChange("start_date", None, "2026-03-01")),
        (attr("due_date", "2026-03-01", None), FieldChange("due_date", "2026-03-01", None)),
        (attr("done_ratio", "0", "50"), FieldChange("done_ratio", "0", "50")),
        (attr("estimated_hours", None, "5.5"), FieldChange("estimated_hours", None, "5.5")),
        (attr("is_private", "0", "1"), FieldChange("is_private", "0", "1")),
        (attr("plugin_thing", "a", "b"), FieldChange("plugin_thing", "a", "b")),
        (file(3, None, "a.txt"), FieldChange("attachment", None, "a.txt")),
        (file(3, "a.txt", None), FieldChange("attachment", "a.txt", None)),
        (relation("blocks", None, "12"), FieldChange("relation", None, "#12", "blocks")),
        (relation("relates", "12", None), FieldChange("relation", "#12", None, "relates")),
        (field(1, "12", "14"), FieldChange("custom_field", "12", "14", "Room")),
        (field(1, "", "14"), FieldChange("custom_field", None, "14", "Room")),
        (field(1, "12", ""), FieldChange("custom_field", "12", None, "Room")),
        (field(1, None, "14"), FieldChange("custom_field", None, "14", "Room")),
        (field(2, "5", "6"), FieldChange("custom_field", "Ann", "Боб", "Owner")),
        (field(2, "5", ""), FieldChange("custom_field", "Ann", None, "Owner")),
        (field(3, "", "4"), FieldChange("custom_field", None, "1.0", "Fixed in")),
        (field(9, "a", "b"), FieldChange("custom_field", "a", "b", "#9")),
        (field("x", "a", "b"), FieldChange("custom_field", "a", "b", "#x")),
    ],
    ids=lambda value: f"{value.property}-{value.name}" if isinstance(value, JournalDetail) else "",
)
def test_a_detail_is_told_with_names_instead_of_ids(detail: JournalDetail, expected: FieldChange) -> None:
    assert diff.fields((detail,), NAMES) == (expected,)


def test_details_keep_their_order_and_number() -> None:
    details = (PRIORITY, STATUS, file(1, None, "a"), file(2, None, "b"))
    assert [d.field for d in diff.fields(details, NAMES)] == [
        "priority",
        "status",
        "attachment",
        "attachment",
    ]


@pytest.mark.parametrize(
    "detail", [attr("description", "x" * 5000, "y" * 5000), field(1, "x" * 5000, "y" * 5000)]
)
def test_a_very_long_value_is_cut(detail: JournalDetail) -> None:
    [found] = diff.fields((detail,), NAMES)
    assert found.old == "x" * 1999 + "…"
    assert found.new == "y" * 1999 + "…"


def test_a_value_of_just_the_greatest_length_is_whole() -> None:
    [found] = diff.fields((attr("description", None, "x" * 2000),), NAMES)
    assert found.new == "x" * 2000


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (STATUS, "status"),
        (attr("assigned_to_id", None, "5"), "principal"),
        (attr("subject", "a", "b"), None),
        (attr("parent_id", "1", "2"), None),
        (field(1, "a", "b"), None),
        (field(2, "5", "6"), "principal"),
        (field(3, "4", ""), "version"),
        (field(99, "4", ""), None),
        (file(1, None, "status_id"), None),
        (relation("relates", None, "5"), None),
    ],
)
def test_a_detail_says_what_kind_of_thing_its_values_name(
    detail: JournalDetail, expected: str | None
) -> None:
    assert diff.reference(detail, NAMES) == expected
