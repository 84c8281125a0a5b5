"""A JSON document larger than memory, cut into the elements of its one list without ever holding more than one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TextIO

from llmlora.core.errors import DatasetError
from llmlora.data.strict_json import MAX_DEPTH, STRING, JsonError, parse_json

CHUNK_CHARACTERS = 1 << 18
ROW_CHARACTERS = 16 << 20
TOKEN = re.compile(rf'{STRING}|["\[\]{{}},]', re.DOTALL)
WHOLE_STRING = re.compile(STRING, re.DOTALL)
STRING_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
NOT_SPACE = re.compile(r"[^ \t\n\r]")


class Element(NamedTuple):
    """The text of one JSON value; `text` is None when `code` says why it was not kept."""

    line: int
    column: int
    text: str | None
    code: str = ""


class Cursor:
    """A place in a stream of text whose line ends are all `\\n`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._line = 1
        self._column = 1
        self._at_end = False

    @property
    def place(self) -> dict[str, int]:
        """Return the 1-based line and column."""
        return {"line": self._line, "column": self._column}

    def _more(self) -> bool:
        if self._at_end:
            return False
        piece = self._stream.read(max(CHUNK_CHARACTERS, len(self._text) - self._at))
        self._at_end = not piece
        self._text = self._text[self._at :] + piece
        self._at = 0
        return not self._at_end

    def _pass(self, end: int) -> None:
        passed = self._text.count("\n", self._at, end)
        if passed:
            self._line += passed
            self._column = end - self._text.rindex("\n", self._at, end)
        else:
            self._column += end - self._at
        self._at = end

    def peek(self) -> str:
        """Skip white space and return the next character, or "" at the end."""
        while True:
            match = NOT_SPACE.search(self._text, self._at)
            if match:
                self._pass(match.start())
                return match.group()
            self._pass(len(self._text))
            if not self._more():
                return ""

    def peek_after(self) -> str:
        """Return the next character behind the current one that is not white space; "" at the end, or far away."""
        while True:
            match = NOT_SPACE.search(self._text, self._at + 1)
            if match or len(self._text) - self._at > ROW_CHARACTERS or not self._more():
                return match.group() if match else ""

    def step(self) -> None:
        """Go on by one character."""
        self._pass(self._at + 1)

    def string(self) -> str | None:
        """Take a whole JSON string with its quotes, or return None if there is none here."""
        while True:
            match = WHOLE_STRING.match(self._text, self._at)
            if match:
                self._pass(match.end())
                return match.group()
            if len(self._text) - self._at > ROW_CHARACTERS or not self._more():
                return None

    def value(self) -> Element:
        """Take everything up to the comma or bracket that ends the value here.

        Raises:
            DatasetError: the stream ends inside the value.
        """
        self.peek()
        line, column = self._line, self._column
        depth, offset, code = 0, 0, ""
        while True:
            match = TOKEN.search(self._text, self._at + offset)
            if match is None or match.group() == '"':
                code, offset = self._read_on(match, code, line)
                continue
            mark, offset = match.group()[0], match.end() - self._at
            if depth == 0 and mark in ",]}":
                text = self._text[self._at : match.start()]
                code = code or ("row_too_long" if len(text) > ROW_CHARACTERS else "")
                self._pass(match.start())
                return Element(line, column, None if code else text.rstrip(), code)
            depth += (mark in "[{") - (mark in "]}")
            if depth > MAX_DEPTH:
                code = code or "too_deep"

    def _read_on(self, match: re.Match[str] | None, code: str, first_line: int) -> tuple[str, int]:
        """Read more where the text ends inside a token; return the code and where to search on."""
        start = match.start() if match else len(self._text)
        if code == "row_too_long" or len(self._text) - self._at > ROW_CHARACTERS:
            code = "row_too_long"
            self._pass(start)
            if match:
                self._discard_string(first_line)
                return code, 0
        offset = max(0, start - self._at)
        if not self._more():
            raise self._truncated(first_line)
        return code, offset

    def _discard_string(self, first_line: int) -> None:
        """Forget the string that begins here, however long it is."""
        self.step()
        while True:
            match = STRING_END.match(self._text, self._at)
            if match:
                self._pass(match.end())
                return
            tail = len(self._text) - len(self._text.rstrip("\\"))
            self._pass(len(self._text) - tail % 2)
            if not self._more():
                raise self._truncated(first_line)

    def _truncated(self, first_line: int) -> DatasetError:
        self._pass(max(self._at, len(self._text.rstrip())))
        return DatasetError("truncated_file", line=self._line, column=self._column, start_line=first_line)


def list_elements(cursor: Cursor) -> Iterator[Element]:
    """Yield the elements of the list that starts here; stray and trailing commas come as elements with a code.

    Raises:
        DatasetError: the list does not end, or not with `]`.
    """
    cursor.step()
    if cursor.peek() == "]":
        cursor.step()
        return
    while True:
        mark = cursor.peek()
        if mark in ("]", ","):
            yield Element(cursor.place["line"], cursor.place["column"], None, "trailing_comma")
        else:
            yield cursor.value()
            mark = cursor.peek()
        if mark == "":
            raise DatasetError("truncated_file", line=cursor.place["line"], start_line=cursor.place["line"])
        cursor.step()
        if mark == "]":
            return
        if mark == "}":
            raise DatasetError("json_syntax", **cursor.place)


class WrappedList:
    """A JSON object with one list of rows inside, or a single row when there is no such list.

    Rows are objects: a list of anything else, an empty list beside another one, and every list in an object for which
    `is_row` of its keys so far is true belong to `members`.
    """

    def __init__(
        self, cursor: Cursor, is_row_key: Callable[[str], bool], is_row: Callable[[Iterable[str]], bool]
    ) -> None:
        cursor.peek()
        self._cursor = cursor
        self._is_row_key = is_row_key
        self._is_row = is_row
        self._is_empty = False
        self.line = cursor.place["line"]
        self.list_key: str | None = None
        self.members: dict[str, Any] = {}

    def elements(self) -> Iterator[Element]:
        """Yield the elements of the list; `members` holds the other values afterwards.

        Raises:
            DatasetError: broken JSON, or a second list.
        """
        cursor = self._cursor
        cursor.step()
        if cursor.peek() == "}":
            cursor.step()
            return
        while True:
            key = self._key()
            if cursor.peek() == "[" and self._holds_rows(key):
                self._start_list(key)
                yield from list_elements(cursor)
            else:
                self.members[key] = self._member(cursor.value())
            mark = cursor.peek()
            if mark == "":
                raise DatasetError("truncated_file", line=cursor.place["line"], start_line=self.line)
            if mark not in ",}":
                raise DatasetError("missing_comma", **cursor.place)
            cursor.step()
            if mark == "}":
                return

    def _holds_rows(self, key: str) -> bool:
        if self._is_row_key(key) or self._is_row(self.members):
            return False
        following = self._cursor.peek_after()
        return following in "{[" or (following == "]" and self.list_key is None)

    def _start_list(self, key: str) -> None:
        if self.list_key is not None and not self._is_empty:
            raise DatasetError("several_lists", first=self.list_key, second=key, **self._cursor.place)
        if self.list_key is not None:
            self.members[self.list_key] = []
        self.list_key = key
        self._is_empty = self._cursor.peek_after() == "]"

    def _key(self) -> str:
        cursor = self._cursor
        mark, place = cursor.peek(), cursor.place
        word = cursor.string() if mark == '"' else None
        if word is None:
            code = {"": "truncated_file", "}": "trailing_comma", "'": "single_quotes", "/": "comment_in_json"}
            raise DatasetError(code.get(mark, "unquoted_key"), start_line=self.line, row=1, **place)
        key = str(self._member(Element(place["line"], place["column"], word)))
        if cursor.peek() != ":":
            raise DatasetError("json_syntax", **cursor.place)
        cursor.step()
        if key in self.members or key == self.list_key:
            raise DatasetError("duplicate_key", name=key, row=1, **place)
        return key

    def _member(self, element: Element) -> Any:
        if element.text is None:
            raise DatasetError(element.code, line=element.line, column=element.column, row=1, limit=MAX_DEPTH)
        try:
            return parse_json(element.text)
        except JsonError as refusal:
            line, column = place_in(element, refusal.position)
            raise DatasetError(refusal.code, line=line, column=column, row=1, **refusal.params) from refusal


def place_in(element: Element, position: int | None) -> tuple[int, int]:
    """Return line and column of a position inside an element's text."""
    if position is None or element.text is None:
        return element.line, element.column
    newlines = element.text.count("\n", 0, position)
    if not newlines:
        return element.line, element.column + position
    return element.line + newlines, position - element.text.rindex("\n", 0, position)
