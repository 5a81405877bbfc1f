"""The server's own address as the request sees it: Redmine builds its links from the Host header."""

from daemon.demo.exchange import Request


def base_url(request: Request) -> str:
    scheme = request.headers.get("x-forwarded-proto", "http")
    return f"{scheme}://{request.headers.get('host', 'localhost')}"
