"""Look at a PEFT adapter folder without loading it, and refuse what is no adapter, damaged or hostile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llmlora.catalog.model_folder import MAX_CONFIG_BYTES, PICKLES, inside, read_json_object, readable
from llmlora.catalog.safetensors_header import read_safetensors_header
from llmlora.core.errors import ModelFileError, NotFound
from llmlora.core.layout import ADAPTER_CONFIG, ADAPTER_WEIGHTS

# PEFT imports what `auto_mapping` names; it writes nothing else than these itself.
_KNOWN_LIBRARIES = ("transformers", "peft")


def check_adapter_folder(folder: Path) -> None:
    """Check settings and weights of an adapter as far as that goes without its base model.

    Raises:
        NotFound: `adapter_not_found`, no `adapter_config.json`.
        ModelFileError: pickled, damaged or missing weights, settings that name foreign code, links out of the folder.
    """
    with readable(folder):
        if not (folder / ADAPTER_CONFIG).is_file():
            raise NotFound("adapter_not_found", path=str(folder))
        path = inside(folder, ADAPTER_CONFIG)
        mapping = read_json_object(path, MAX_CONFIG_BYTES).get("auto_mapping")
        if isinstance(mapping, Mapping):
            library = str(mapping.get("parent_library") or "peft").partition(".")[0]
            if library not in _KNOWN_LIBRARIES:
                raise ModelFileError("model_config_hostile", path=str(path), setting="auto_mapping")
        if not (folder / ADAPTER_WEIGHTS).is_file():
            pickles = sorted({found.name for pattern in PICKLES for found in folder.glob(pattern)})
            if pickles:
                raise ModelFileError("pickle_weights", path=str(folder), files=", ".join(pickles[:5]))
            raise ModelFileError("adapter_weights_missing", path=str(folder))
        read_safetensors_header(inside(folder, ADAPTER_WEIGHTS))
