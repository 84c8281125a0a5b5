"""What the server counts of itself, as Prometheus reads it."""

from __future__ import annotations

import time
from collections import Counter

import psutil
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Meter:
    """Counts of answers by method and status, and the seconds they took until they began."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.requests: Counter[tuple[str, int]] = Counter()
        self.seconds = 0.0

    def count(self, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        self.requests[known, status] += 1
        self.seconds += seconds

    def text(self, gauges: dict[str, float]) -> str:
        """Return everything counted, with further values by name."""
        process = psutil.Process()
        times = process.cpu_times()
        gauges = {
            "uptime_seconds": round(time.monotonic() - self.started, 3),
            "process_resident_memory_bytes": process.memory_info().rss,
            "process_open_files": process.num_fds(),
            "process_threads": process.num_threads(),
            **gauges,
        }
        lines = ["# TYPE llmlora_http_requests_total counter"]
        lines += [
            f'llmlora_http_requests_total{{method="{method}",status="{status}"}} {number}'
            for (method, status), number in sorted(self.requests.items())
        ]
        lines += _metric("http_request_seconds_total", "counter", round(self.seconds, 6))
        lines += _metric("process_cpu_seconds_total", "counter", round(times.user + times.system, 2))
        for name, value in gauges.items():
            lines += _metric(name, "gauge", value)
        return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, value: float) -> list[str]:
    return [f"# TYPE llmlora_{name} {kind}", f"llmlora_{name} {value}"]


class MeterGuard:
    """Counts every answer."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self.app = app
        self.meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.meter.count(scope["method"], message["status"], time.monotonic() - began)
            await send(message)

        await self.app(scope, receive, send_counted)
