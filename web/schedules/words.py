"""What pages call the state of a job, and how they write spans of time."""

from web.language import gettext


def health_words() -> dict[str, tuple[str, str]]:
    """Return for each health its word and the colour of its mark."""
    return {
        "ok": (gettext("Works"), "mark-green"),
        "behind": (gettext("Lags behind"), "mark-orange"),
        "failing": (gettext("Fails"), "mark-red"),
        "paused": (gettext("Paused"), ""),
        "starting": (gettext("Starting"), ""),
        "absent": (gettext("Not in the file"), ""),
    }


def run_words() -> dict[str, tuple[str, str]]:
    """Return for each status of a run its word and the colour of its mark."""
    return {
        "running": (gettext("Running"), ""),
        "ok": (gettext("Succeeded"), "mark-green"),
        "partial": (gettext("In part"), "mark-orange"),
        "failed": (gettext("Failed"), "mark-red"),
        "refused": (gettext("Refused"), "mark-red"),
        "interrupted": (gettext("Interrupted"), "mark-orange"),
    }


def act_words() -> dict[str, str]:
    """Return what each act is called."""
    return {
        "job.pause": gettext("paused the job"),
        "job.resume": gettext("resumed the job"),
        "job.run": gettext("had the job run"),
        "job.set": gettext("changed the job"),
        "job.reset": gettext("reset the job to the file"),
        "user.add": gettext("added the user"),
        "user.change": gettext("changed the user"),
        "user.password": gettext("reset the password of the user"),
        "post.add": gettext("published the post"),
        "post.change": gettext("changed the post"),
        "post.delete": gettext("deleted the post"),
        "host.acknowledge": gettext("acknowledged the outage of the host"),
        "host.unacknowledge": gettext("withdrew the acknowledgement of the host"),
        "host.maintain": gettext("noted a maintenance of the host"),
        "host.end_maintenance": gettext("ended a maintenance of the host"),
    }


def span(seconds: float | None) -> str:
    """Write a span of time in its largest unit: 5 s, 3 min, 2 h, 4 d."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return gettext("%(n)s ms", n=round(seconds * 1000))
    if seconds < 120:
        return gettext("%(n)s s", n=f"{seconds:.3g}")
    if seconds < 7200:
        return gettext("%(n)s min", n=round(seconds / 60))
    if seconds < 172_800:
        return gettext("%(n)s h", n=round(seconds / 3600))
    return gettext("%(n)s d", n=round(seconds / 86_400))
