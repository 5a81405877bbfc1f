"""Users as administrators see and change them."""

from web.people_admin.reading import bp
from web.people_admin.writing import change, reset_password

__all__ = ["bp", "change", "reset_password"]
