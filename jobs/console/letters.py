"""The inbox on the page: how it stands, its dead letters, and the way back for them."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from jobs.answers import Refused, said
from jobs.app import App
from jobs.logs import logger
from signals.sources import rejects
from signals.sources.inbox import REJECTED

if TYPE_CHECKING:
    import redis

T = TypeVar("T")

_SHOWN = 50
ALL = "all"


class Letters:
    """The routes of the dead letters. The gate has seen the token before any is put back.

    Parameters
    ----------
    app : the service's parts.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def listed(self, _request: web.Request) -> web.Response:
        """The newest, and how many there are."""
        count, letters = await self._ask(lambda client: (rejects.count(client), rejects.newest(client, _SHOWN)))
        return said(200, {"count": count, "letters": [one._asdict() for one in letters]})

    async def redrive(self, request: web.Request) -> web.Response:
        """Put one back into the inbox by its id, or all."""
        wanted = request.match_info["rejected_id"]
        if wanted == ALL:
            done = await self._ask(rejects.redrive_all)
        elif await self._ask(lambda client: rejects.redrive(client, [wanted])):
            raise Refused(404, f"{wanted[:40]}: there is no dead letter of this id")
        else:
            done = 1
        logger().info("inbox.redriven", letters=done)
        return said(200, {"redriven": done})

    async def _ask(self, ask: "Callable[[redis.Redis], T]") -> T:
        """Of Redis as it is, in a thread: it may hang, and the loop serves everyone. Raises BrokerError."""
        from signals.delivery.faults import FAULTS, broker_error

        def inside() -> T:
            try:
                with self._app.redis_as_it_is() as client:
                    return ask(client)
            except FAULTS as error:
                raise broker_error(f"Redis stream {REJECTED}", error) from error

        return await asyncio.to_thread(inside)
