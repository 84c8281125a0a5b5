"""The package's source as syntax trees, read once, for the checks of the house."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "llmlora"
TESTS = ROOT / "tests"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class SourceFile:
    """One Python file: its path below `src/llmlora`, its text and its tree."""

    name: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.split("/")[0] if "/" in self.name else ""

    @property
    def num_lines(self) -> int:
        return self.text.count("\n")


@cache
def source_files() -> tuple[SourceFile, ...]:
    files = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        files.append(SourceFile(path.relative_to(SOURCE).as_posix(), text, ast.parse(text, str(path))))
    return tuple(files)


def functions(file: SourceFile) -> Iterator[Function]:
    """Yield every function and method of a file, nested ones too."""
    for node in ast.walk(file.tree):
        if isinstance(node, Function):
            yield node


def imported_packages(tree: ast.AST) -> set[str]:
    """Return the top-level packages that a tree imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def string_constants(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def called_name(call: ast.Call) -> str:
    """Return `f` for `f(...)`, `module.f(...)` and `object.f(...)`."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def option_types(file: SourceFile) -> set[str]:
    """Return the names that a file gives to annotated options, such as `Json = Annotated[bool, typer.Option(...)]`."""
    return {
        target.id
        for node in file.tree.body
        if isinstance(node, ast.Assign) and re.search(r"\b(Option|Argument)\(", ast.unparse(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def is_typer_command(file: SourceFile, function: Function) -> bool:
    """Tell whether a function's parameters are command-line options."""
    defaults = [*function.args.defaults, *(item for item in function.args.kw_defaults if item)]
    annotations = [argument.annotation for argument in (*function.args.args, *function.args.kwonlyargs)]
    text = " ".join(ast.unparse(node) for node in (*defaults, *annotations) if node)
    named = option_types(file) & set(re.findall(r"\w+", text))
    return file.room == "cli" and bool(named or re.search(r"\b(Option|Argument)\(", text))


def assert_none(problems: Iterable[object]) -> None:
    """Fail with one problem per line."""
    lines = sorted(str(problem) for problem in problems)
    assert not lines, "\n".join(["", *lines])
