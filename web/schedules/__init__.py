"""The scheduled jobs, their runs, and what administrators did."""

from web.schedules.acting import bp as acting
from web.schedules.auditing import bp as auditing
from web.schedules.reading import bp as reading

BLUEPRINTS = (reading, acting, auditing)
