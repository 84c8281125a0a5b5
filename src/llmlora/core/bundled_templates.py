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
OWN_TEMPLATE: Final = "gguf"  # asks for the one that lies with the model, whatever another program would render
TEMPLATE_NAMES: Final = (*BUNDLED_TEMPLATES, OWN_TEMPLATE)  # any other name is a file
