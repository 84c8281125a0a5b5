"""Turn a growing reply into pieces that can be shown at once."""

from __future__ import annotations

from collections.abc import Sequence

from llmlora.inference.chat import OnText

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """Pass on the new part of a reply, never half a character and never the beginning of a stop text."""

    def __init__(self, stop: Sequence[str], on_text: OnText | None) -> None:
        self.text = ""
        self._stop = tuple(text for text in stop if text)
        self._on_text = on_text
        self._num_sent = 0

    def update(self, text: str) -> bool:
        """Take the whole reply so far; return True when a stop text was met (the reply ends before it)."""
        self.text = text
        position = min((text.find(stop) for stop in self._stop if stop in text), default=-1)
        if position >= 0:
            self.text = text[:position]
            return True
        self._send(len(text) - self._held_back(text))
        return False

    def finish(self) -> str:
        """Pass on what was held back and return the whole reply."""
        self._send(len(self.text))
        return self.text

    def _held_back(self, text: str) -> int:
        undecided = len(text) - len(text.rstrip(REPLACEMENT))
        for stop in self._stop:
            for length in range(min(len(stop) - 1, len(text)), 0, -1):
                if text.endswith(stop[:length]):
                    undecided = max(undecided, length)
                    break
        return undecided

    def _send(self, end: int) -> None:
        if self._on_text is not None and end > self._num_sent:
            self._on_text(self.text[self._num_sent : end])
            self._num_sent = end
