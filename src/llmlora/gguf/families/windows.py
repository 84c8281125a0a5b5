"""Sliding windows: which layers have one, and which ones llama.cpp does not know."""

from __future__ import annotations

from llmlora.gguf.architecture import Keys
from llmlora.gguf.file_keys import FileKeys
from llmlora.gguf.model_shape import Config, ModelShape, setting, unsupported

LOCAL, GLOBAL = "sliding_attention", "full_attention"
DEFAULT_WINDOW = 4096


def own_window(config: Config, shape: ModelShape, default: int | None = None) -> int | None:
    """Return a window over all layers; Mistral's configuration class has one even where the file says nothing."""
    window = config.get("sliding_window", default)
    return None if window is None else int(window)


def check_windows(config: Config, shape: ModelShape) -> None:
    """llama.cpp aborts the process when a model of these kinds has no layer with a window."""
    kinds = config.get("layer_types")
    if kinds is None:
        return
    if len(kinds) != shape.num_layers or LOCAL not in kinds:
        raise unsupported("layer_types", f"{len(kinds)} x {', '.join(sorted(set(kinds)))}")


def window_keys(config: Config, shape: ModelShape, period: int) -> Keys:
    """Say of every layer whether it looks at a window only; without it llama.cpp assumes a period of its own."""
    kinds = config.get("layer_types")
    if kinds is None:
        period = int(setting(config, "sliding_window_pattern", "_sliding_window_pattern", default=period))
        is_local = periodic(shape.num_layers, period)
    else:
        is_local = [kind == LOCAL for kind in kinds]
    window = int(setting(config, "sliding_window", default=DEFAULT_WINDOW))
    return {"attention.sliding_window": window, "attention.sliding_window_pattern": is_local}


def window_settings(keys: FileKeys, num_layers: int, period: int) -> dict[str, object]:
    """Return what a config says of the windows in a file; where it names no layers, every `period`th sees all."""
    is_local = keys.flags("attention.sliding_window_pattern", num_layers) or periodic(num_layers, period)
    window = keys.integer("attention.sliding_window", DEFAULT_WINDOW)
    return {"sliding_window": window, "layer_types": [LOCAL if local else GLOBAL for local in is_local]}


def periodic(num_layers: int, period: int) -> list[bool]:
    """Return of every layer whether it has a window when each `period`th has none."""
    return [bool((layer + 1) % period) for layer in range(num_layers)]
