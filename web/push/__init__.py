"""Web Push as the viewer sees it: browsers subscribe, say that something arrived, and are tried out.

The daemon sends; see `daemon/channels/webpush.py`.
"""
