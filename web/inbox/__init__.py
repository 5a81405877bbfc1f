"""The inbox: its list, what people do with it, and how each notification reached them."""

from web.inbox.deliveries import bp as deliveries
from web.inbox.doing import bp as doing
from web.inbox.mutes import bp as mutes
from web.inbox.pages import bp as pages

BLUEPRINTS = (pages, doing, deliveries, mutes)
