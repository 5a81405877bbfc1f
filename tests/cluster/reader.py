"""One open page as the browser keeps it: fed by the socket, filled from the API where a replay was cut."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.web.crowd import Member

PER_PAGE = 100
ASK_AGAIN_S = 0.5


@dataclass
class Reader(Member):
    """A member that keeps the list of what it is shown."""

    login: str = ""
    shown: set[int] = field(default_factory=set)
    was_cut: bool = False

    def is_in_order(self) -> bool:
        """Whether each notification came once by the socket, in the order of ids."""
        return self.ids() == sorted(set(self.ids()))

    async def _receive(self, event: str, content: Any = None) -> None:
        await super()._receive(event, content)
        if event == "new_notification":
            self.shown.add(content["id"])
        elif event == "notifications_withdrawn":
            self.shown.difference_update(content["ids"])
        elif event == "replayed" and content["more"]:
            self.was_cut = True
            await self._fill()

    async def _connected(self) -> None:
        """What was withdrawn meanwhile is not replayed: the page asks for the state of its list."""
        await super()._connected()
        if self.connects > 1:
            self._filling = asyncio.ensure_future(self._fill())

    async def _fill(self) -> None:
        """Read the whole list by HTTP, as often as it takes while servers come and go."""
        while True:
            newest = self.last or 0
            try:
                known = await self._read_all()
            except (aiohttp.ClientError, TimeoutError, LookupError):
                await asyncio.sleep(ASK_AGAIN_S)
                continue
            # What came by the socket while we were reading may be newer than the answer.
            self.shown = known | {number for number in self.shown if number > newest}
            return

    async def _read_all(self) -> set[int]:
        ids: set[int] = set()
        page, pages = 1, 1
        while page <= pages:
            query = f"?page={page}&per_page={PER_PAGE}"
            timeout = aiohttp.ClientTimeout(total=10)
            url = f"{self.url}/tasks/api/notifications{query}"
            async with self.http.get(url, headers={"Cookie": self.cookie}, timeout=timeout) as answer:
                answer.raise_for_status()
                content = await answer.json()
            ids.update(item["id"] for item in content["notifications"])
            page, pages = page + 1, content["pagination"]["pages"]
        return ids
