"""What the options of every job have in common: frozen, strict, unknown keys refused."""

from storage.configuration import Settings


class JobOptions(Settings):
    """Base of a source's `Options`."""
