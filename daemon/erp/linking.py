"""Pure: which of our users is a person of the ERP."""

from collections.abc import Iterable

from daemon.clients.erp_values import ErpUser
from daemon.values import Colleague


class Links:
    """Users by the names that the ERP may know them by, and who of them was seen."""

    def __init__(self, colleagues: Iterable[Colleague]) -> None:
        everybody = list(colleagues)
        self._by_erp_name = {c.erp_name: c for c in everybody if c.erp_name}
        self._by_username = {c.username.lower(): c for c in everybody if not c.erp_name}
        self._filled = {c.user_id for c in everybody if c.from_erp}

    def of(self, person: ErpUser) -> Colleague | None:
        """Return the user who signed in by this account, or who has its name and no other address.

        An address alone never says who somebody is: people write their own.
        """
        user = self._by_erp_name.get(person.name)
        if user is None:
            user = self._by_username.get(person.name)
            if user is not None and _is_somebody_else(user, person):
                user = None
        if user is not None:
            self._filled.discard(user.user_id)
        return user

    def left(self) -> list[int]:
        """Return the users whose profile the ERP filled, and whom it does not know any more."""
        return sorted(self._filled)


def _is_somebody_else(user: Colleague, person: ErpUser) -> bool:
    if not user.email or not person.email or "email" in user.from_erp:
        return False
    return user.email.casefold() != person.email.casefold()
