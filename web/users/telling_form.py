"""The same as a page's form sends it, every field of it in each request."""

from typing import Any

from werkzeug.datastructures import MultiDict

from storage.preferences import TYPES, WAYS

PROJECT = "project_"


def sent(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what a form says, in the shape of the API. A box that is not ticked is not sent."""
    ticked = set(form.getlist("ways"))
    kinds = [kind for kind in TYPES if kind in form.getlist("kind")] or TYPES  # those that the page showed
    return {
        "ways": {kind: {way: f"{kind}.{way}" in ticked for way in WAYS} for kind in kinds},
        "projects": {
            name.removeprefix(PROJECT): level for name, level in form.items() if name.startswith(PROJECT)
        },
        "hours": {
            "is_on": "hours_on" in form,
            "days": _numbers(form, "hours_day"),
            "begin": form.get("hours_begin", ""),
            "end": form.get("hours_end", ""),
            "urgent_passes": "urgent_passes" in form,
        }
        | ({"hosts_pass": "hosts_pass" in form} if "host_down" in kinds else {}),
        "mail": {
            "mode": form.get("mail_mode", ""),
            "times": [at for at in form.getlist("mail_time") if at],
            "days": _numbers(form, "mail_day"),
        },
        "reminders": {
            "days_before": _numbers(form, "remind"),
            "overdue": form.get("overdue", ""),
            "at": form.get("remind_at", ""),
        },
    }


def _numbers(form: MultiDict[str, str], name: str) -> list[int]:
    return sorted({int(text) for text in form.getlist(name) if text.isdecimal() and len(text) < 3})
