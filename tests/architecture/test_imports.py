"""Who uses what: imports stand at the top, third-party packages stay in their rooms, broad excepts at the edges."""

from __future__ import annotations

import ast
import sys

from architecture import exceptions
from architecture.source_tree import (
    ROOT,
    SOURCE,
    SourceFile,
    assert_none,
    called_name,
    functions,
    imported_packages,
    source_files,
)

TORCH = {"torch", "transformers", "peft", "accelerate", "safetensors", "numpy"}
PACKAGES: dict[str, set[str]] = {
    "": set(),
    "core": {"cryptography", "dotenv", "pydantic", "pydantic_settings", "platformdirs"},
    "data": set(),
    "catalog": set(),
    "ollama": {"httpx2"},
    "gguf": {"numpy", "gguf"},
    "weights": {"numpy", "huggingface_hub", "httpx2"},
    "prepare": {"numpy", "tokenizers", "jinja2", "transformers"},
    "engine": TORCH | {"bitsandbytes"},
    "inference": TORCH | {"xllamacpp"},
    "export": TORCH | {"yaml"},
    "evaluation": {"jinja2", "numpy", "torch"},
    "worker": {"numpy", "torch"},
    "store": {"sqlalchemy", "alembic"},
    "services": {"psutil", "uvicorn", "yaml"},
    "api": {"fastapi", "starlette", "pydantic", "psutil"},
    "cli": {"typer", "rich", "yaml"},
}
EDGES = {"worker", "cli", "api"}
BROAD = {"Exception", "BaseException"}


def late_imports(file: SourceFile) -> list[int]:
    """Return the lines of imports inside functions and of modules loaded by name."""
    inner = [
        node.lineno
        for function in functions(file)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    calls = [node for node in ast.walk(file.tree) if isinstance(node, ast.Call)]
    return inner + [call.lineno for call in calls if called_name(call) in {"import_module", "__import__"}]


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler catches everything and does not raise it again."""
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    catches_all = handler.type is None or any(isinstance(item, ast.Name) and item.id in BROAD for item in named)
    raises_again = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return catches_all and not raises_again


def test_imports_stand_at_the_top() -> None:
    late = {file.name: late_imports(file) for file in source_files()}
    late = {name: lines for name, lines in late.items() if lines}
    assert not {name: lines for name, lines in late.items() if name not in exceptions.LATE_IMPORTS}
    assert_none(name for name in exceptions.LATE_IMPORTS if name not in late)


def test_each_room_uses_only_its_packages() -> None:
    strangers = []
    for file in source_files():
        foreign = imported_packages(file.tree) - set(sys.stdlib_module_names) - {"llmlora"} - PACKAGES[file.room]
        strangers.extend(f"{file.name} imports {name}" for name in sorted(foreign))
    assert_none(strangers)


def test_headers_of_models_are_read_through_doors_that_a_server_can_guard() -> None:
    """A light room outside `catalog` asks for a whole model or file, which `header_reader` may have a child read."""
    unguarded = {"read_safetensors_header", "read_json_object"}
    light = [file for file in source_files() if file.room in ("api", "cli", "services", "store", "ollama")]
    nodes = [(file.name, node) for file in light for node in ast.walk(file.tree) if isinstance(node, ast.ImportFrom)]
    assert_none(f"{name}:{node.lineno}" for name, node in nodes if unguarded & {item.name for item in node.names})
    asking = [file.name for file in source_files() if "read_elsewhere(" in file.text]
    assert len(asking) == 4, "three doors and what they ask"


def test_every_room_is_placed() -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert rooms == set(PACKAGES) - {""}
    contract = (ROOT / ".importlinter").read_text(encoding="utf-8")
    assert_none(room for room in rooms if f"    {room}" not in contract and f"| {room}" not in contract)


def test_nothing_is_swallowed_but_at_the_edges() -> None:
    broad = [
        f"{file.name}:{node.lineno}"
        for file in source_files()
        if file.room not in EDGES and file.name not in exceptions.BROAD_EXCEPT
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    assert_none(broad)
