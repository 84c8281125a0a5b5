"""Sizes and shapes: files, functions, parameters, nesting, annotations, names, and the share of tests."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from architecture import exceptions
from architecture.source_tree import SOURCE, TESTS, Function, assert_none, functions, is_typer_command, source_files

FILE_LINES, FILE_LINES_WISHED = 600, 400
FUNCTION_LINES, LOOP_LINES = 60, 120
PARAMETERS = 8
NESTING = 3
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def over_budget(found: dict[str, int], limit: int, listed: Iterable[str]) -> list[str]:
    """Return what is over a limit and not listed, and what is listed without need."""
    over = {name: value for name, value in found.items() if value > limit}
    problems = [f"{name}: {value} > {limit}" for name, value in sorted(over.items()) if name not in set(listed)]
    return problems + [f"{name}: listed as an exception without need" for name in listed if name not in over]


def each_function(with_commands: bool = True) -> Iterable[tuple[str, Function]]:
    for file in source_files():
        for function in functions(file):
            if with_commands or not is_typer_command(file, function):
                yield f"{file.name}:{function.name}", function


def depth(statements: Iterable[ast.AST], level: int = 0) -> int:
    """Return how deep control blocks nest; `elif` counts as its `if`, a nested function starts anew."""
    deepest = level
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if not isinstance(node, BLOCKS):
            deepest = max(deepest, depth(ast.iter_child_nodes(node), level))
            continue
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            children = [child for child in children if child is not node.orelse[0]]
            deepest = max(deepest, depth(node.orelse, level))
        deepest = max(deepest, depth(children, level + 1))
    return deepest


def test_depth_counts_blocks() -> None:
    nested = "for a in b:\n  if a:\n    with a:\n      if a: pass\n  elif c: pass\n  elif d: pass\n"
    assert depth(ast.parse(nested).body) == 4
    assert depth(ast.parse("if a: pass\nelif b: pass\nelif c: pass\n").body) == 1


def test_files_are_short() -> None:
    sizes = {file.name: file.num_lines for file in source_files()}
    for name, lines in sorted(sizes.items()):
        if FILE_LINES_WISHED < lines <= FILE_LINES:
            print(f"long, still allowed: {name} {lines} lines")
    assert_none(over_budget(sizes, FILE_LINES, exceptions.LONG_FILES))


def test_functions_are_short() -> None:
    limits = {name: limit for name, (limit, _) in exceptions.LONG_FUNCTIONS.items()}
    assert all(limit <= LOOP_LINES for limit in limits.values())
    lengths = {name: (node.end_lineno or 0) - node.lineno + 1 for name, node in each_function()}
    assert_none(over_budget(lengths, FUNCTION_LINES, limits))
    assert_none(name for name, limit in limits.items() if lengths[name] > limit)


def test_functions_take_few_parameters() -> None:
    counts: dict[str, int] = {}
    for name, function in each_function(with_commands=False):
        arguments = function.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        counts[name] = len([argument for argument in names if argument not in {"self", "cls"}])
    assert_none(over_budget(counts, PARAMETERS, exceptions.MANY_PARAMETERS))


def test_code_nests_shallowly() -> None:
    depths: dict[str, int] = {}
    for name, function in each_function():
        depths[name] = max(depth(function.body), depths.get(name, 0))
    assert_none(over_budget(depths, NESTING, exceptions.DEEP_NESTING))


def test_every_function_says_what_it_returns() -> None:
    assert_none(name for name, function in each_function() if function.returns is None)


def test_public_functions_and_classes_have_a_docstring() -> None:
    missing = []
    for file in source_files():
        if file.text.strip() and not ast.get_docstring(file.tree):
            missing.append(file.name)
        for node in file.tree.body:
            is_public = isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
            if is_public and not ast.get_docstring(node):  # type: ignore[arg-type]
                missing.append(f"{file.name}:{node.name}")  # type: ignore[attr-defined]
    assert_none(missing)


def test_no_file_is_named_after_nothing() -> None:
    folders = {path.name for path in SOURCE.rglob("*") if path.is_dir()}
    names = {path.stem for path in SOURCE.rglob("*.py")} | folders
    assert not names & BANNED_NAMES


def test_there_is_as_much_test_as_source() -> None:
    tests = sum(path.read_text(encoding="utf-8").count("\n") for path in TESTS.rglob("*.py"))
    source = sum(file.num_lines for file in source_files())
    print(f"tests:src = {tests}:{source} = {tests / source:.2f}")
    assert tests >= source
