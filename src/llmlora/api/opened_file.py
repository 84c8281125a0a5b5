"""A download of a file that is open already: what its name means afterwards changes nothing."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send


class OpenedFile(FileResponse):
    """Sends the file of a descriptor, whole or in parts, and closes the descriptor."""

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        super().__init__(
            f"/dev/fd/{descriptor}",
            media_type="application/octet-stream",
            filename=PurePosixPath(name).name,
            stat_result=os.fstat(descriptor),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self._descriptor)
