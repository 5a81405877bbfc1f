"""Why a host is in its state, in the reader's language; the codes are the daemon's."""

from web.language import gettext


def reason_text(code: str) -> str:
    """Return what a reason says, "" for none."""
    word, _, detail = code.partition(" ")
    texts = {
        "": "",
        "no_answer": gettext("No answer"),
        "refused": gettext("%(router)s says that it cannot be reached", router=detail),
        "not_sent": gettext("Nothing can be sent to it: %(problem)s", problem=detail),
        "parent": gettext("%(host)s on the way to it is down", host=detail),
        "own_network": gettext("Our own network seems to be lost"),
        "not_permitted": gettext("Pings are not permitted here: the daemon needs CAP_NET_RAW"),
        "not_resolved": gettext("Its name has no address: %(problem)s", problem=detail),
        "not_resolved_in_time": gettext("The name server does not answer"),
        "not_watched": gettext("It is not watched any more"),
    }
    return texts.get(word, code)
