"""The chat templates inside the package, by name; any other name is a file."""

from __future__ import annotations

from typing import Final

# Name -> the control tokens that the template cannot do without.
BUNDLED_TEMPLATES: Final[dict[str, tuple[str, ...]]] = {
    "plain": (),
    "alpaca": (),
    "shitsumon": (),
    "raw": (),
    "chatml": ("<|im_start|>", "<|im_end|>"),
}
