"""Every word a user reads: in both languages, with the same placeholders, used, and filled in completely."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from string import Formatter

from jinja2 import Environment, nodes

from architecture import exceptions
from architecture.source_tree import SOURCE, SourceFile, assert_none, called_name, source_files, string_constants
from llmlora.core import errors
from llmlora.core.locale import LANGUAGES

JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")
ERROR_CLASSES = {
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)
}
PARTS = ("what", "why", "hint")
SPEAKING = {"translate", "say", "warn"}
PRINTING = {"print", "echo", "secho", "print_text"}


@cache
def texts(language: str) -> dict[str, str]:
    """Return all texts of a language; a key that stands twice is a mistake."""

    def no_twins(pairs: list[tuple[str, str]]) -> dict[str, str]:
        found = dict(pairs)
        assert len(found) == len(pairs), f"{language}.json defines a key twice"
        return found

    path = SOURCE / "locales" / f"{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=no_twins)
    return found


def placeholders(text: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(text) if name is not None}


def calls() -> Iterator[tuple[SourceFile, ast.Call]]:
    for file in source_files():
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call):
                yield file, node


def literal(call: ast.Call, position: int = 0) -> str | None:
    """Return the string written at a position of a call, if it is one."""
    if len(call.args) <= position:
        return None
    node = call.args[position]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@cache
def written_dicts(file: SourceFile) -> dict[str, frozenset[str]]:
    """Return the keys of every dict that a file writes out and names, by its name; all of them where it does twice."""
    found: dict[str, frozenset[str]] = {}
    for node in ast.walk(file.tree):
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(value, ast.Dict) and all(isinstance(key, ast.Constant) for key in value.keys):
            keys = frozenset(str(key.value) for key in value.keys if isinstance(key, ast.Constant))
            for target in node.targets if isinstance(node, ast.Assign) else ():
                if isinstance(target, ast.Name):
                    found[target.id] = found.get(target.id, frozenset()) | keys
    return found


def unfilled(file: SourceFile, call: ast.Call, text: str) -> set[str]:
    """Return the placeholders of a text that a call gives no value for; a `**` from elsewhere may give any."""
    given = {keyword.arg for keyword in call.keywords if keyword.arg}
    for spread in (keyword.value for keyword in call.keywords if keyword.arg is None):
        written = written_dicts(file).get(spread.id) if isinstance(spread, ast.Name) else None
        if written is None:
            return set()
        given |= written
    return placeholders(text) - given


def test_both_languages_have_the_same_keys() -> None:
    first, second = (set(texts(language)) for language in LANGUAGES)
    assert first == second


def test_both_languages_have_the_same_placeholders() -> None:
    other = texts("en")
    assert_none(key for key, text in texts("ja").items() if placeholders(text) != placeholders(other[key]))


def test_no_text_is_empty_and_japanese_is_japanese() -> None:
    assert_none(key for language in LANGUAGES for key, text in texts(language).items() if not text.strip())
    latin = [key for key, text in texts("ja").items() if len(text) > 40 and not JAPANESE.search(text)]
    assert_none(latin)
    assert_none(key for key, text in texts("en").items() if JAPANESE.search(re.sub(r"[「\"].*?[」\"]", "", text)))


def raised_errors() -> Iterator[tuple[SourceFile, str, ast.Call]]:
    """Yield the file, the code and the call of every error that the source makes with a literal code."""
    for file, call in calls():
        code = literal(call)
        if called_name(call) in ERROR_CLASSES and code is not None:
            yield file, code, call


def test_every_error_says_what_why_and_what_next() -> None:
    missing: dict[str, str] = {}
    for file, code, call in raised_errors():
        keys = {f"error.{code}.{part}" for part in PARTS}
        if not all(keys <= set(texts(language)) for language in LANGUAGES):
            missing.setdefault(code, f"{file.name}:{call.lineno}")
    assert_none(f"{code} ({place}) lacks words in locales/" for code, place in missing.items())


def test_every_error_fills_in_its_words() -> None:
    problems = set()
    for file, code, call in raised_errors():
        for part in PARTS:
            names = unfilled(file, call, texts("en").get(f"error.{code}.{part}", ""))
            if names:
                problems.add(f"{file.name}:{call.lineno} {code}.{part} is given no {', '.join(sorted(names))}")
    assert_none(problems)


def template_calls() -> Iterator[tuple[str, nodes.Call]]:
    """Yield where and what for every `t("name", ...)` of the page templates."""
    for path in sorted((SOURCE / "evaluation" / "pages" / "templates").glob("*.html")):
        for call in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t":
                yield f"{path.name}:{call.lineno}", call


def template_words() -> set[str]:
    """Return every string of the page templates: texts are asked for by their last name."""
    return {
        str(node.value)
        for path in (SOURCE / "evaluation" / "pages" / "templates").glob("*.html")
        for node in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Const)
    }


def test_every_text_a_template_asks_for_exists_and_is_filled_in() -> None:
    problems = set()
    for place, call in template_calls():
        if not isinstance(call.args[0], nodes.Const):
            continue
        key = f"evaluation.report.{call.args[0].value}"
        given = {keyword.key for keyword in call.kwargs}
        text = texts("en").get(key)
        if text is None or placeholders(text) - given:
            problems.add(f"{place} {key} {'does not exist' if text is None else 'lacks a value'}")
    assert_none(problems)
    assert any(True for _ in template_calls())


def test_templates_hold_no_words_of_their_own() -> None:
    spoken = []
    for path in sorted((SOURCE / "evaluation" / "pages" / "templates").glob("*.html")):
        markup = re.sub(r"\{[{%#].*?[}%#]\}", "", path.read_text(encoding="utf-8"), flags=re.S)
        words = re.findall(r"[A-Za-z]{2,}|[\u3040-\u9fff]+", re.sub(r"<[^>]*>", " ", markup))
        spoken += [f"{path.name} {word}" for word in words if word != "llmlora"]
    assert_none(spoken)


def test_every_text_asked_for_exists_and_is_filled_in() -> None:
    problems = set()
    for file, call in calls():
        key = literal(call)
        if called_name(call) not in SPEAKING or key is None or "." not in key:
            continue
        text = texts("en").get(key)
        if text is None:
            problems.add(f"{file.name}:{call.lineno} {key} does not exist")
        elif unfilled(file, call, text):
            problems.add(f"{file.name}:{call.lineno} {key} lacks {sorted(unfilled(file, call, text))}")
    assert_none(problems)


def option_keys() -> Iterator[str]:
    """Yield the key of every text that explains an option or an argument."""
    for file, call in calls():
        for keyword in call.keywords:
            if (
                called_name(call) in {"Option", "Argument"}
                and keyword.arg == "help"
                and isinstance(keyword.value, ast.Call)
            ):
                key = literal(keyword.value)
                assert key, f"{file.name}:{call.lineno} has no key"
                yield key if called_name(keyword.value) == "translate" else f"cli.train.{key}"


def test_options_are_explained_in_sentences() -> None:
    """A full stop ends the text, or stands before its example; a list of what can be given may end it as well."""
    endings = {"ja": r"。(例: .+)?$|: \{known\}$", "en": r"\.( Example: .+)?$|: \{known\}$"}
    keys = set(option_keys())
    assert len(keys) > 60
    assert_none(
        f"{language}: {key}"
        for language, ending in endings.items()
        for key in keys
        if not re.search(ending, texts(language)[key])
    )


def page_words() -> tuple[set[str], set[str]]:
    """Return every string of the pages' TypeScript, and a pattern for every template that holds a value."""
    constants, patterns = set(), set()
    for path in (SOURCE.parents[1] / "web" / "src").rglob("*.ts*"):
        if not path.name.endswith((".test.ts", ".test.tsx", ".d.ts")):
            text = path.read_text(encoding="utf-8")
            constants |= set(re.findall(r'"([\w.]+)"', text))
            for template in re.findall(r"`([\w.]+\$\{[^`]*)`", text):
                patterns.add("(.+?)".join(re.escape(part) for part in re.split(r"\$\{[^}]*\}", template)))
    return constants, patterns


def pattern_of(part: ast.expr) -> str:
    return re.escape(str(part.value)) if isinstance(part, ast.Constant) else "(.+?)"


@cache
def words_of_source() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Return every string and argument name of the source and the pages, and a pattern for every formatted string."""
    constants, patterns = page_words()
    constants |= template_words()
    for file in source_files():
        constants |= string_constants(file.tree)
        for node in ast.walk(file.tree):
            if isinstance(node, ast.arg):
                constants.add(node.arg)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                constants.add(node.target.id)
            if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
                patterns.add("".join(pattern_of(part) for part in node.values))
    tellable = [pattern for pattern in patterns if len(pattern.replace("(.+?)", "")) >= 4 and " " not in pattern]
    return frozenset(constants), tuple(re.compile(pattern) for pattern in tellable)


def is_written(word: str, depth: int = 2) -> bool:
    """Tell whether the source writes a word, as a string or by putting written words into a formatted string."""
    constants, patterns = words_of_source()
    if word in constants:
        return True
    if depth == 0:
        return False
    matches = (pattern.fullmatch(word) for pattern in patterns)
    return any(match and all(is_written(part, depth - 1) for part in match.groups()) for match in matches)


def test_every_text_is_used() -> None:
    listed = exceptions.TEXTS_USED_ELSEWHERE
    prefixes = tuple(name.removesuffix("*") for name in listed if name.endswith("*"))
    unused = [key for key in texts("en") if not is_written(key)]
    assert_none(key for key in unused if key not in listed and not key.startswith(prefixes or ("\0",)))


def test_source_holds_no_japanese_text() -> None:
    found = {file.name for file in source_files() if JAPANESE.search(file.text)}
    assert found == set(exceptions.JAPANESE_DATA)


def test_source_prints_no_english_sentence() -> None:
    spoken = []
    for file, call in calls():
        shown = [literal(call)] if called_name(call) in PRINTING else []
        shown += [
            keyword.value.value
            for keyword in call.keywords
            if keyword.arg in {"help", "short_help", "epilog"} and isinstance(keyword.value, ast.Constant)
        ]
        sentences = [text for text in shown if isinstance(text, str) and len(re.findall(r"[A-Za-z]{2,}", text)) >= 3]
        spoken.extend(f"{file.name}:{call.lineno} {text!r}" for text in sentences)
    assert_none(spoken)
