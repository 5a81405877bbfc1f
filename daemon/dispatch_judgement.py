"""Pure: is a delivery still to be sent now, later, or not at all; and what becomes of one that failed."""

from datetime import datetime, timedelta
from random import uniform

from daemon import ways
from daemon.channel import SHORT_LIVED, DeliveryFailed
from daemon.dispatch_values import TEST, Due, Mark, Outcome
from daemon.options import ChannelOptions
from storage.deliveries import DIGEST, DOUBTFUL

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 3600.0
LONGEST_ASKED_S = 6 * 3600.0
# A service that refuses our key or password wants an administrator: nothing is lost meanwhile.
MENDING_S = 300.0
# What was told longer ago is confirmed by Redmine before it leaves: rights may have changed since.
PROOF_AGE = timedelta(minutes=15)
# Where Redmine cannot be asked. It is no failure of the channel, so it costs no attempt.
PROOF_PAUSE = timedelta(seconds=30)


def judged(due: Due, options: ChannelOptions, now: datetime) -> Outcome | None:
    """Return what becomes of a delivery that is not to be sent now; None where it is."""
    if due.obstacle:
        return Outcome(due, "skipped", due.obstacle)
    if due.channel == "webpush" and _is_over(due, now):
        return Outcome(due, "expired", "came too late to be of any use")
    if due.parcel.news.type != TEST:
        if not ways.is_wanted(due.wanted_by, due.reader, due.channel):
            return Outcome(due, "skipped", "not wanted any more")
        if (later := _later(due, now)) is not None:
            return later
    return _given_up(due, options, now)


def _given_up(due: Due, options: ChannelOptions, now: datetime) -> Outcome | None:
    if now - due.due_at > timedelta(hours=options.expires_h):
        return Outcome(due, "expired", due_to_age(options.expires_h))
    if due.attempts >= DOUBTFUL + options.attempts:
        return Outcome(due, "failed", f"its daemon ended {options.attempts} times while it was being sent")
    return None


def is_doubtful(due: Due) -> bool:
    """Say whether it may be what ended those who held it: it goes alone, and is counted before it goes."""
    return due.attempts >= DOUBTFUL


def _is_over(due: Due, now: datetime) -> bool:
    """Say whether what it tells of is over by now, also where quiet hours held it back."""
    news = due.parcel.news
    lasts_s = SHORT_LIVED.get(news.type)
    return lasts_s is not None and now - news.created_at > timedelta(seconds=lasts_s)


def due_to_age(hours: float) -> str:
    """Say why something is too old."""
    return f"waited for longer than {hours:g} h"


def _later(due: Due, now: datetime) -> Outcome | None:
    """Return when it is wanted, if that is not now. A digest that is due goes: its next one is tomorrow's."""
    if due.snoozed_until is not None and due.snoozed_until > now:
        return Outcome(due, "due", "snoozed", at=due.snoozed_until, younger=True)
    if due.batch == DIGEST:
        return None
    at = ways.due_at(due.wanted_by, due.reader, due.channel, now)
    if at <= now:
        return None
    is_mail = due.channel == "email" and due.reader.preferences.mail.mode == "digest"
    why = "waits for the digest" if is_mail else "waits for working hours"
    return Outcome(due, "due", why, at=at, younger=True, batch=DIGEST if is_mail else None)


def needs_proof(due: Due, now: datetime) -> bool:
    """Say whether Redmine is to be asked first if its reader may still see it."""
    return (due.verify or now - due.recorded_at > PROOF_AGE) and due.told is not None


def failed(due: Due, error: DeliveryFailed, options: ChannelOptions, now: datetime) -> Outcome:
    """Return what becomes of a delivery that did not get through."""
    text, attempt = str(error), due.attempts + 1
    if error.outcome == "gone":
        return Outcome(due, "failed", text, tries=1, mark="gone")
    if error.outcome == "failed":
        return Outcome(due, "failed", text, tries=1, mark="trouble")
    is_ours = error.outcome == "misconfigured"
    mark: Mark = "misconfigured" if is_ours else "trouble"
    if attempt >= options.attempts:
        return Outcome(due, "failed", f"{text}; given up after {attempt} attempts", tries=1, mark=mark)
    pause = pause_s(attempt, max(error.retry_after_s or 0.0, MENDING_S if is_ours else 0.0))
    return Outcome(due, "due", text, at=now + timedelta(seconds=pause), tries=1, mark=mark)


def held_up(due: Due, before: Outcome) -> Outcome:
    """Return what becomes of the next one to a device or person that has just been in trouble.

    It is not tried: a device that is dead would take its time with each. It costs no attempt.
    """
    if before.mark == "gone":
        return Outcome(due, "skipped", before.error)
    return Outcome(due, "due", before.error, at=before.at)


def pause_s(attempt: int, asked_s: float | None) -> float:
    """Return how long to wait after that attempt: three times longer each time, never less than asked."""
    pause = min(FIRST_PAUSE_S * 3.0 ** min(attempt - 1, 20), LONGEST_PAUSE_S) * uniform(0.8, 1.2)  # noqa: S311
    return max(pause, min(asked_s or 0.0, LONGEST_ASKED_S))
