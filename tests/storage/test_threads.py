"""Which page shows what a notification is about."""

import pytest

from storage.threads import page_of


@pytest.mark.parametrize(
    ("thread", "page"),
    [
        ("call:dialog7", "/finesse/calls"),
        ("host:gw 1/2", "/netmonitor/hosts/gw%201%2F2"),
        ("network", "/netmonitor"),
        ("vpn", "/users/profile"),
        ("erp", "/users/profile"),
        ("issue:7", ""),
        ("", ""),
    ],
)
def test_each_thread_has_its_page(thread: str, page: str) -> None:
    assert page_of(thread) == page
