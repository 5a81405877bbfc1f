"""The hosts of the network: how they do, what became of them, and what administrators say."""

from web.hosts import acting, reading

BLUEPRINTS = (reading.bp, acting.bp)
