"""JSON that any reader can load: numbers that are none become null and are named, half characters are replaced."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.responses import JSONResponse


class JsonResponse(JSONResponse):
    """A JSON answer; an object with NaN or infinities gets `nonfinite`, which says what each of them was."""

    def render(self, content: Any) -> bytes:
        """Return the bytes."""
        text = json.dumps(readable(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def readable(value: Any) -> Any:
    """Return a JSON value without NaN and infinities."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [readable(item) for item in value]
    if not isinstance(value, dict):
        return value
    cleaned = {str(name): readable(item) for name, item in value.items()}
    broken = {
        str(name): str(item) for name, item in value.items() if isinstance(item, float) and not math.isfinite(item)
    }
    return {**cleaned, "nonfinite": broken} if broken else cleaned
