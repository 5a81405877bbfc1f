"""Pure: what a notification about somebody's own account in the ERP says."""

from gettext import NullTranslations

from daemon.values import Change


def N_(text: str) -> str:  # noqa: N802 - the customary mark for texts translated later
    """Mark a text for the translators; it is looked up in the reader's language when used."""
    return text


TITLES = {
    "vpn_expiry": N_("VPN access ends soon"),
    "account_blocked": N_("ERP account blocked"),
    "account_back": N_("ERP account active again"),
    "account_changed": N_("Your ERP data changed"),
}
MESSAGES = {
    "account_blocked": N_("Your account in the ERP was blocked. Ask your administrator."),
    "account_back": N_("Your account in the ERP is active again."),
    "department": N_("Your department is now %(new)s"),
    "position": N_("Your position is now %(new)s"),
    "both": N_("Your department is now %(department)s and your position %(position)s"),
    "removed": N_("The ERP names no department or position of yours any more"),
}
TODAY = N_("VPN access ends today, %(date)s")
IN_DAYS = ("VPN access ends in %(days)d day, on %(date)s", "VPN access ends in %(days)d days, on %(date)s")


def texts(change: Change, kind: str, language: str, translation: NullTranslations) -> tuple[str, str]:
    """Return title and message in a language."""
    title = translation.gettext(TITLES[kind])
    if kind == "vpn_expiry":
        return title, _ending(change, language, translation)
    if kind == "account_changed":
        return title, _changed(change, translation)
    return title, translation.gettext(MESSAGES[kind])


def _ending(change: Change, language: str, translation: NullTranslations) -> str:
    told = {detail.field: detail.new or "" for detail in change.details}
    date = told["vpn_end_date"]
    if language == "ru":
        date = ".".join(reversed(date.split("-")))
    days = int(told["days_left"])
    if days == 0:
        return translation.gettext(TODAY) % {"date": date}
    return translation.ngettext(*IN_DAYS, days) % {"days": days, "date": date}


def _changed(change: Change, translation: NullTranslations) -> str:
    new = {detail.field: detail.new for detail in change.details if detail.new}
    pattern = "both" if len(new) > 1 else next(iter(new), "removed")
    return translation.gettext(MESSAGES[pattern]) % {"new": next(iter(new.values()), ""), **new}
