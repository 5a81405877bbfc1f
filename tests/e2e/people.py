"""People with more rights than most."""

from storage import users
from tests.e2e.viewer import Person, ViewerUnderTest


def admin(viewer: ViewerUnderTest, **columns: str) -> Person:
    """Add an administrator whom no other test knows."""
    person = viewer.person(**columns)
    with viewer.database.write() as session:
        user = users.find(session, person.id)
        assert user is not None
        user.role = "admin"
    return person
