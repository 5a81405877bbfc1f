"""Parcels for the tests of the channels."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from daemon.channel import Device, News, Parcel, Recipient

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NEWS = News(
    id=77,
    type="status_change",
    title="Статус задачи изменён",
    message="Задача #7 переведена в статус «В работе»",
    thread="issue:7",
    created_at=NOON,
    issue_id=7,
    journal_id=11,
    subject="Не печатает принтер",
    project="Поддержка",
    actor="Пётр Сидоров",
    reasons=("assignee",),
    details=(),
    notes="",
    is_private_note=False,
    is_urgent=False,
)
ANN = Recipient(1, "Анна", "ann@example.com", "ru", "Europe/Moscow", "token-of-ann")


def parcel(device: Device | None = None, *, attempt: int = 1, **news: Any) -> Parcel:
    """Return a delivery of a notification."""
    return Parcel(5, replace(NEWS, **news), ANN, device, "receipt-1", attempt, 3)
