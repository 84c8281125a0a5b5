"""What a model folder has beside its weights, written once for a GGUF file: config, tokenizer, chat template."""

from __future__ import annotations

from pathlib import Path

from llmlora.catalog.opened_model import OPENED_FILE, OPENED_RULES, opened_dir
from llmlora.core.layout import CONFIG_FILE
from llmlora.core.publish import publishing_dir, write_json, write_text
from llmlora.gguf.gguf_source import GgufSource
from llmlora.gguf.tokenizer_files import tokenizer_files


def write_companions(source: GgufSource) -> Path:
    """Write the folder of a GGUF model in the workspace and return it.

    Raises:
        ModelFileError: a tokenizer without a counterpart here. DiskFull.
    """
    files = source.files
    contents = tokenizer_files(files.paths[0], files.metadata)
    tensors = [[name, list(source.shape(name))] for name in source.names()]
    folder = opened_dir(files.digest)
    with publishing_dir(folder, {"digest": files.digest}, existing="replace") as building:
        write_json(building / CONFIG_FILE, source.config)
        for name, content in contents.items():
            if isinstance(content, str):
                write_text(building / name, content)
            else:
                write_json(building / name, content)
        write_json(building / OPENED_FILE, {"rules": OPENED_RULES, "tensors": tensors})
    return folder
