"""Files as people really have them, and what a check must say about each: one line per file."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import NamedTuple


class Case(NamedTuple):
    """`code` must be among the findings (None: no finding but `too_few_rows`), on `line` when that is given."""

    name: str
    data: bytes
    ok: bool
    code: str | None = None
    line: int | None = None
    column: int | None = None
    rows: int | None = None


QUESTION, ANSWER = "営業時間は何時までですか？", "営業時間は夜の8時までです。"
ROW = {"instruction": QUESTION, "output": ANSWER}
LINE = json.dumps(ROW, ensure_ascii=False)
OTHER = json.dumps({"instruction": "定休日はいつですか？", "output": "毎週水曜日がお休みです。"}, ensure_ascii=False)
CSV = "質問,回答\n営業時間は何時までですか？,夜の8時までです。\n定休日はいつですか？,毎週水曜日がお休みです。\n"
PLAIN = "このお店は朝の10時に開きます。\nどなたでもお入りいただけます。\n\n毎週水曜日はお休みです。\n"
CHAT = {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]}


def lines(*rows: object, end: str = "\n") -> bytes:
    texts = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    return (end.join(texts) + end).encode()


def pair(question: str, answer: str) -> bytes:
    return lines({"instruction": question, "output": answer})


def turns(*messages: dict[str, object]) -> bytes:
    return lines({"messages": list(messages)})


def said(role: str, content: object, **more: object) -> dict[str, object]:
    return {"role": role, "content": content, **more}


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, LINE)
    return stream.getvalue()


def nested(depth: int) -> bytes:
    return lines(LINE, '{"instruction":' + "[" * depth + "]" * depth + ',"output":"a"}', OTHER)


USER, REPLY = said("user", QUESTION), said("assistant", ANSWER)

CASES: tuple[Case, ...] = (
    # What works as it is
    Case("plain.jsonl", lines(LINE, OTHER), True, rows=2),
    Case("array.json", json.dumps([ROW, CHAT["messages"] and ROW | {"input": "x"}], ensure_ascii=False).encode(), True),
    Case("wrapped.json", json.dumps({"version": 1, "data": [ROW]}, ensure_ascii=False).encode(), True, rows=1),
    Case("pretty.json", json.dumps([ROW], ensure_ascii=False, indent=2).encode(), True, rows=1),
    Case("pretty-wrapped.json", json.dumps({"rows": [ROW]}, ensure_ascii=False, indent=2).encode(), True, rows=1),
    Case("pretty-array.jsonl", json.dumps([ROW], ensure_ascii=False, indent=2).encode(), True, rows=1),
    Case("one-row.json", json.dumps(ROW, ensure_ascii=False, indent=2).encode(), True, rows=1),
    Case("one-chat.json", json.dumps(CHAT, ensure_ascii=False, indent=2).encode(), True, rows=1),
    Case("lines-named.json", lines(LINE, OTHER), True, rows=2),
    Case("chat.jsonl", lines(CHAT), True, rows=1),
    Case(
        "sharegpt.json",
        lines([{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}]),
        True,
    ),
    Case("completion.jsonl", lines({"prompt": "昔々、", "completion": "あるところに。"}), True),
    Case("text.jsonl", lines({"text": "質問: 何時までですか\n回答: 8時までです"}), True),
    Case("response.jsonl", lines({"instruction": "a", "response": "b"}), True),
    Case("question.jsonl", lines({"question": "a", "answer": "b"}), True),
    Case("ja-3.jsonl", lines({"指示": "要約", "入力": "長い文", "出力": "短い文"}), True),
    Case("ja-exam.jsonl", lines({"問題": "1+1", "解答": "2です"}), True),
    Case("wide-header.csv", "Ｑ,Ａ\nなに,これ\n".encode(), True),
    Case("table.csv", CSV.encode(), True, rows=2),
    Case("table.tsv", CSV.replace(",", "\t").encode(), True, rows=2),
    Case("semicolon.csv", CSV.replace(",", ";").encode(), True, rows=2),
    Case("sep-line.csv", b"sep=;\n" + CSV.replace(",", ";").encode(), True, rows=2),
    Case("quoted-newline.csv", '質問,回答\n"a\nb","c ""d"" e"\n'.encode(), True, rows=1),
    Case("numbers-stay-text.csv", "質問,回答\nNA,0010010\n".encode(), True, rows=1),
    Case("formula.csv", "質問,回答\n=1+1は,@はアットです\n".encode(), True, rows=1),
    Case("paragraphs.txt", PLAIN.encode(), True, "text_paragraphs", rows=2),
    Case("lines-in.txt", lines(LINE, OTHER), True, rows=2),
    Case("no-suffix", lines(LINE), True, rows=1),
    Case("wrapped.jsonl", json.dumps({"data": [ROW, ROW | {"output": "x"}]}).encode(), True, "contradiction", rows=2),
    Case("tags-then-rows.json", json.dumps({"tags": ["a"], "empty": [], "data": [ROW]}).encode(), True, rows=1),
    Case("row-with-history.json", json.dumps({**ROW, "history": [["a", "b"]]}).encode(), True, rows=1),
    Case(
        "other-history.jsonl",
        json.dumps({**ROW, "history": [{"a": 1}]}).encode(),
        False,
        "history_not_pairs",
        1,
    ),
    Case("row-with-tags.jsonl", lines({**ROW, "tags": ["a", "b"]}), True, rows=1),
    Case("input-output.jsonl", lines({"input": QUESTION, "output": ANSWER}), True, rows=1),
    Case("ja-input-output.csv", "入力,出力\na,b\n".encode(), True, rows=1),
    Case("user-assistant.jsonl", lines({"user": QUESTION, "assistant": ANSWER}), True, rows=1),
    Case("table-named.txt", CSV.replace(",", "\t").encode(), True, rows=2),
    Case("excel-unicode.txt", CSV.replace(",", "\t").encode("utf-16"), True, "other_encoding", rows=2),
    Case("commas-named.tsv", CSV.encode(), True, rows=2),
    Case("unnamed-column.csv", "質問,,回答\na,x,b\nc,,d\n".encode(), True, rows=2),
    Case("case-differs.jsonl", turns(said("User", QUESTION), said("ASSISTANT", ANSWER)), True, rows=1),
    # D1, D2 NUL
    Case("nul.jsonl", lines(LINE, '{"instruction":"a\0","output":"b"}'), False, "nul_byte", 2, 18),
    Case("nul.csv", CSV.encode() + b"a\0b,c\n", False, "nul_byte", 4, 2),
    Case("nul.json", b'[{"instruction":"a\0","output":"b"}]', False, "nul_byte", 1, 19),
    Case("nul.txt", b"abc\0def\n" + PLAIN.encode(), False, "nul_byte", 1, 4),
    Case("nul-escape.jsonl", lines('{"instruction":"a\\u0000","output":"b"}'), True, "nul_escape", 1),
    # D3, D4, D5 encodings
    Case("bom.jsonl", b"\xef\xbb\xbf" + lines(LINE), True, rows=1),
    Case("two-marks.csv", b"\xef\xbb\xbf" * 2 + CSV.encode(), True, rows=2),
    Case("mark-before-each-line.jsonl", b"\xef\xbb\xbf".join([b"", lines(LINE), lines(OTHER)]), True, rows=2),
    Case("mark-then-error.jsonl", lines(LINE) + b"\xef\xbb\xbf{'a': 1}\n", False, "single_quotes", 2, 3),
    Case("bom.csv", b"\xef\xbb\xbf" + CSV.encode(), True, rows=2),
    Case("bom-bad.csv", b"\xef\xbb\xbf" + CSV.encode() + b"\xff,a\n", False, "not_utf8", 4, 1),
    Case("utf16.csv", CSV.encode("utf-16"), True, "other_encoding", rows=2),
    Case("utf16be.jsonl", b"\xfe\xff" + LINE.encode("utf-16-be"), True, "other_encoding", rows=1),
    Case("utf16-no-mark.jsonl", lines(LINE, OTHER).decode().encode("utf-16-le"), True, "other_encoding", rows=2),
    Case("half-kana.csv", "質問,回答\nｱｲｳはなんですか,ｶﾀｶﾅのもじです\n".encode("cp932"), True, "other_encoding"),
    Case("half-kana-euc.csv", "質問,回答\nｱｲｳはなんですか,ｶﾀｶﾅのもじです\n".encode("euc_jp"), True, "other_encoding"),
    Case("half-kana-only.csv", "question,answer\nｱｲｳ,ｴｵｶ\n".encode("cp932"), False, "encoding_ambiguous", 2, 1),
    Case("katakana-words.csv", "質問,回答\nサーバー,コンピューター\n".encode("cp932"), True, "other_encoding"),
    Case("katakana-euc.csv", "質問,回答\nサーバー,コンピューター\n".encode("euc_jp"), True, "other_encoding"),
    Case("curly-quotes.csv", "instruction,output\nit’s,that’s “it”\n".encode("cp1252"), False, None, None),
    Case("dos-french.csv", "instruction,output\nle château là,gâteau été\n".encode("cp850"), False, None, None),
    Case("jis-outside.csv", b"\x1b$B<ALd\x1b(B,\x1b$B2sEz\x1b(B\na,\x1b$B-!\x1b(B\n", False, "jis_unreadable", 2, 3),
    Case("jis-outside-text.csv", b"instruction,output\na,\x1b$B-!\x1b(B\n", False, "jis_unreadable", 2, 3),
    Case("utf16-odd.csv", CSV.encode("utf-16") + b"\0", False, "encoding_mismatch"),
    Case("cp932.csv", CSV.encode("cp932"), True, "other_encoding", 1, rows=2),
    Case(
        "cp932-trail-5c.csv",
        "質問,回答\n表の能力はどうですか,とても高いです\n".encode("cp932"),
        True,
        "other_encoding",
        rows=1,
    ),
    Case(
        "cp932-vendor.jsonl", pair("①㈱髙の読みは", "それはいちです").decode().encode("cp932"), True, "other_encoding"
    ),
    Case("euc.csv", CSV.encode("euc_jp"), True, "other_encoding", rows=2),
    Case("jis.csv", CSV.encode("iso2022_jp"), True, "other_encoding", rows=2),
    Case("jis.jsonl", lines(LINE).decode().encode("iso2022_jp"), True, "other_encoding", rows=1),
    Case("kanji-only-euc.csv", "指示,出力\n東京,大阪\n".encode("euc_jp"), False, "encoding_ambiguous", 1),
    Case("latin1.csv", "instruction,output\nun caf\xe9,deux\n".encode("latin-1"), False, None, None),
    Case("one-bad-byte.jsonl", lines(LINE) + lines(OTHER)[:-10] + b'\xff"}\n', False, "not_utf8", 2),
    Case("cut-character.jsonl", lines(LINE, OTHER)[:-5], False, "not_utf8", 2),
    # D6, D7, D8 values
    Case("surrogate.jsonl", lines(LINE, '{"instruction":"\\ud83d","output":"b"}'), False, "lone_surrogate", 2, 17),
    Case(
        "pair-then-surrogate.jsonl",
        lines('{"instruction":"\\ud83d\\ude00 \\ud83d","output":"b"}'),
        False,
        "lone_surrogate",
        1,
        30,
    ),
    Case("surrogates-swapped.jsonl", lines('{"text":"\\ude00\\ud83d"}'), False, "lone_surrogate", 1, 10),
    Case("surrogate-pair.jsonl", lines('{"instruction":"\\ud83d\\ude00","output":"b"}'), True),
    Case(
        "duplicate-key.jsonl",
        lines(LINE, '{"output":"a","instruction":"b","output":"c"}'),
        False,
        "duplicate_key",
        2,
        33,
    ),
    Case("duplicate-key-inside.json", b'[{"messages":[{"role":"user","role":"user"}]}]', False, "duplicate_key", 1),
    Case(
        "duplicate-key-later.jsonl",
        lines('{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","role":"user"}]}'),
        False,
        "duplicate_key",
        1,
        78,
    ),
    Case("duplicate-key-escaped.jsonl", lines('{"text":"a","t\\u0065xt":"b"}'), False, "duplicate_key", 1, 13),
    Case("nan.jsonl", lines('{"instruction":"a","output":NaN}'), False, "not_finite", 1, 29),
    Case("infinity.json", b'[{"instruction":"a","output":"b","score":-Infinity}]', False, "not_finite", 1),
    Case("1e999.jsonl", lines('{"instruction":"a","output":"b","score":1e999}'), False, "not_finite", 1),
    Case(
        "huge-int.jsonl",
        lines('{"instruction":"a","output":"b","id":' + "9" * 4301 + "}"),
        False,
        "number_too_large",
        1,
    ),
    Case(
        "1e23-int.jsonl",
        lines('{"instruction":"a","output":"b","id":' + str(10**23) + "}"),
        False,
        "number_too_large",
        1,
    ),
    Case("power.jsonl", lines('{"instruction":"a","output":"b","id":10^23}'), False, "missing_comma", 1),
    Case("number-answer.jsonl", lines({"instruction": "a", "output": 42}), False, "answer_not_text", 1),
    # D9, D10 size
    Case("deep-32.jsonl", nested(31), False, "question_not_text", 2),
    Case("deep-33.jsonl", nested(32), False, "too_deep", 2),
    Case("deep-900.json", b'{"data":[' + b"[" * 900 + b"]" * 900 + b"]}", False, "too_deep", 1),
    Case("deep-100000.jsonl", nested(100_000), False, "too_deep", 2),
    Case("deep-100000.json", b"[" * 100_000 + b"]" * 100_000, False, "too_deep", 1),
    Case("deep-open.json", b"[" * 100_000, False, "truncated_file", 1),
    Case("deep-objects.jsonl", lines('{"a":' * 50_000 + "1" + "}" * 50_000), False, "too_deep", 1),
    Case(
        "long-line.jsonl", lines(LINE, '{"text":"' + "x" * (17 << 20) + '"}', OTHER), False, "row_too_long", 2, rows=2
    ),
    Case("empty-rows.jsonl", b"{}\n" * 1000, False, "empty_row", 1),
    # D11 nothing there
    Case("empty.jsonl", b"", False, "no_records"),
    Case("empty.csv", b"", False, "no_records"),
    Case("spaces.json", " \n\t\u3000\n".encode(), False, "no_records"),
    Case("bom-only.jsonl", b"\xef\xbb\xbf", False, "no_records"),
    Case("number.json", b"42", False, "no_records"),
    Case("string.json", b'"x"', False, "no_records"),
    Case("string.jsonl", b'"x"\n', False, "no_records"),
    Case("empty-array.json", b"[]", False, "no_records"),
    Case("empty-list.json", b'{"data":[]}', False, "no_records"),
    Case("empty-list.jsonl", b'{"data":[]}\n', False, "no_records"),
    Case("full-width-brackets.json", f"［{LINE}］".encode(), False, "full_width_syntax", 1, 1),
    Case("header-only.csv", "質問,回答\n".encode(), False, "no_records"),
    Case("page.json", b"<!DOCTYPE html><html><body>Sign in</body></html>", False, "html_file", 1),
    Case("page.csv", b"\n <html lang='ja'><head>", False, "html_file", 1),
    Case("words.json", "これはJSONではありません\n".encode(), False, "not_json", 1),
    # D12 line ends
    Case("no-final-newline.jsonl", lines(LINE, OTHER)[:-1], True, rows=2),
    Case("crlf.jsonl", lines(LINE, OTHER, end="\r\n"), True, rows=2),
    Case("cr.jsonl", lines(LINE, OTHER, end="\r"), True, rows=2),
    Case("crlf.csv", CSV.replace("\n", "\r\n").encode(), True, rows=2),
    Case("cr.csv", CSV.replace("\n", "\r").encode(), True, rows=2),
    Case("u2028.jsonl", pair("a\u2028b\u2029c", "d\x85e"), True, rows=1),
    Case("blank-lines.jsonl", b"\n\n" + lines(LINE, "", OTHER) + b"\n \n", True, rows=2),
    Case("truncated.jsonl", lines(LINE) + OTHER[:30].encode(), False, "truncated_line", 2),
    Case("truncated-value.jsonl", lines(LINE) + b'{"instruction":"a","output":', False, "truncated_line", 2),
    Case("truncated.json", json.dumps([ROW, ROW], ensure_ascii=False, indent=1).encode()[:-30], False, "not_utf8"),
    Case(
        "truncated-ascii.json",
        b'[\n{"instruction":"a","output":"b"},\n{"instruction":"c","out',
        False,
        "truncated_file",
        3,
    ),
    Case("unclosed.json", b'[\n{"instruction":"a","output":"b"}\n', False, "truncated_file", 2),
    # D13 syntax
    Case("trailing-comma.jsonl", lines(LINE, '{"instruction":"a","output":"b",}'), False, "trailing_comma", 2, 33),
    Case("line-commas.jsonl", lines(LINE + ",", OTHER + ","), False, "trailing_comma", 1),
    Case("trailing-comma.json", lines("[", LINE + ",", "]"), False, "trailing_comma", 3, rows=1),
    Case("no-comma.json", lines("[", LINE, OTHER, "]"), False, "missing_comma", 3, 1),
    Case("semicolons.jsonl", lines(LINE + ";", OTHER), False, "content_after_json", 1, rows=1),
    Case("double-comma.json", lines("[", LINE + ",,", OTHER, "]"), False, "trailing_comma", 2, rows=2),
    Case("single-quotes.jsonl", lines("{'instruction': 'a', 'output': 'b'}", LINE), False, "single_quotes", 1, 2),
    Case("single-quotes.json", b"{\n'data': []}", False, "single_quotes", 2, 1),
    Case("comment.jsonl", lines("// comment", LINE), False, "comment_in_json", 1, rows=1),
    Case("comment.json", lines("[", LINE + ", // one", OTHER, "]"), False, "comment_in_json", 2),
    Case("python.jsonl", lines('{"instruction": "a", "output": None}'), False, "python_literal", 1, 32),
    Case("no-quotes.jsonl", lines('{instruction: "a", output: "b"}', LINE), False, "unquoted_key", 1),
    Case("full-width.jsonl", lines(LINE, '{"instruction"："a"，"output"："b"}'), False, "full_width_syntax", 2, 15),
    Case("curly-quotes.jsonl", lines(LINE, "{“instruction”: “a”}"), False, "full_width_syntax", 2, 2),
    Case("two-on-line.jsonl", lines(LINE + OTHER, LINE), False, "several_values_on_line", 1),
    Case(
        "concatenated.json",
        lines(json.dumps(ROW, indent=1) + json.dumps(ROW, indent=1)),
        False,
        "concatenated_objects",
        4,
    ),
    Case("arrays.jsonl", lines(["a", "b"], ["c", "d"]), False, "jsonl_of_arrays", 2),
    Case("array-row.jsonl", lines(LINE, ["c", "d"]), False, "row_is_array", 2, rows=1),
    Case("string-rows.json", b'["a", "b"]', False, "row_not_object", 1),
    Case("after.json", lines([ROW]) + b"done\n", False, "content_after_json", 2),
    Case("two-lists.json", json.dumps({"train": [ROW], "test": [ROW]}).encode(), False, "several_lists", 1),
    Case(
        "raw-newline.jsonl",
        b'{"instruction":"a\nb","output":"c"}\n' + lines(LINE),
        False,
        "unterminated_string",
        1,
        rows=1,
    ),
    Case("raw-tab.jsonl", b'{"instruction":"a\tb","output":"c"}\n', False, "control_in_string", 1, 18),
    Case("windows-path.jsonl", lines('{"instruction":"C:\\data","output":"c"}'), False, "invalid_escape", 1, 19),
    Case("missing-comma.jsonl", lines('{"instruction":"a" "output":"c"}'), False, "missing_comma", 1, 20),
    # D14 rows
    Case("no-output.jsonl", lines(LINE, {"instruction": "a"}), False, "missing_answer", 2, rows=1),
    Case("first-without-output.jsonl", lines({"instruction": "a"}, LINE), False, "missing_answer", 1, rows=1),
    Case("null-output.jsonl", lines(LINE, {"instruction": "a", "output": None}), False, "missing_answer", 2),
    Case("list-output.jsonl", lines(LINE, {"instruction": "a", "output": ["b"]}), False, "answer_not_text", 2),
    Case("blank-output.jsonl", lines(LINE, {"instruction": "a", "output": " \u3000\n"}), False, "blank_answer", 2),
    Case("zero-width-output.jsonl", lines(LINE, {"instruction": "a", "output": "\u200b"}), False, "blank_answer", 2),
    Case("blank-question.jsonl", lines(LINE, {"instruction": "", "output": "a"}), False, "blank_question", 2),
    Case("no-answer-column.csv", "質問,メモ\na,b\nc,d\n".encode(), False, "column_missing", 1, rows=0),
    Case("unknown-columns.jsonl", lines({"foo": "a", "bar": "b"}), False, "unknown_columns", 1),
    Case("no-header.csv", "何時まで,8時まで\nいつ休み,水曜日\n".encode(), False, "header_unclear", 1),
    Case("other-format.jsonl", lines(LINE, {"text": "a"}), False, "format_differs", 2, rows=1),
    Case("role.jsonl", turns(said("narrator", "a"), REPLY), False, "unknown_role", 1),
    Case("no-assistant.jsonl", turns(USER, USER), False, "no_assistant", 1),
    Case("no-messages.jsonl", lines({"messages": []}), False, "no_assistant", 1),
    Case("messages-text.jsonl", lines({"messages": "hello"}), False, "messages_not_list", 1),
    Case(
        "parts.jsonl", turns(said("user", [{"type": "image", "url": "a.png"}]), REPLY), False, "media_not_supported", 1
    ),
    Case("blank-turn.jsonl", turns(USER, said("assistant", "\u3000")), False, "blank_turn", 1),
    Case("number-turn.jsonl", turns(said("user", 3), REPLY), False, "content_not_text", 1),
    Case("null-turn.jsonl", turns(said("user", None), REPLY), False, "missing_content", 1),
    Case("text-turn.jsonl", lines({"messages": ["a", "b"]}), False, "turn_not_object", 1),
    Case(
        "tool-calls.jsonl",
        turns(USER, said("assistant", None, tool_calls=[{}]), said("tool", "1"), REPLY),
        False,
        "tool_call_unreadable",
        1,
    ),
    Case("image-part.jsonl", turns(said("user", [{"type": "image_url"}]), REPLY), False, "media_not_supported", 1),
    Case("images.jsonl", lines({**ROW, "images": ["a.png"]}), False, "media_not_supported", 1),
    Case("no-images.jsonl", lines({**ROW, "images": [], "audio": None}), True, rows=1),
    Case("bad-tools.jsonl", lines({"messages": [USER, REPLY], "tools": "a"}), False, "tools_unreadable", 1),
    Case("blank-user.jsonl", turns(said("user", " "), REPLY), True, "blank_user_turn", 1, rows=1),
    Case("late-system.jsonl", turns(USER, REPLY, said("system", "s"), USER, REPLY), True, "late_system", 1),
    Case("ends-with-user.jsonl", turns(USER, REPLY, USER), True, "ends_without_answer", 1),
    Case("two-users.jsonl", turns(USER, USER, REPLY), True, "turns_not_alternating", 1),
    # D15 tables
    Case("unclosed-quote.csv", CSV.encode() + b'"a,b\nc,d\ne,f\n', False, "unclosed_quote", 4),
    Case("stray-quote.csv", CSV.encode() + b'"a"x,b\nc,d\n', False, "stray_quote", 4, rows=3),
    Case("ragged-long.csv", CSV.encode() + b"a,b,c\n", False, "ragged_row", 4, rows=2),
    Case("ragged-short.csv", CSV.encode() + b"a\n", False, "ragged_row", 4, rows=2),
    Case("trailing-commas.csv", "質問,回答,,\na,b,,\n".encode(), True, rows=1),
    Case("blank-cells.csv", CSV.encode() + b",\n", True, "blank_row", 4, rows=2),
    Case("twice.csv", "質問,回答,回答\na,b,c\n".encode(), False, "duplicate_column", 1),
    Case("full-width-comma.csv", CSV.replace(",", "，").encode(), False, "full_width_delimiter", 1, 3),
    Case("long-cell.csv", f"質問,回答\na,{'あ' * 140_000}\n".encode(), True, rows=1),
    Case("too-long-cell.csv", f"質問,回答\na,{'x' * (17 << 20)}\nb,c\n".encode(), False, "row_too_long", 2, rows=1),
    Case("too-long-header.csv", f"質問,{'x' * (17 << 20)}\nb,c\n".encode(), False, "row_too_long", 1, rows=0),
    Case("line-after-quoted-newline.csv", '質問,回答\n"a\nb",c\nd\n'.encode(), False, "ragged_row", 4),
    # D17, D18 not data
    Case("zip.jsonl", zipped("a.jsonl"), False, "compressed_file"),
    Case("book.csv", zipped("[Content_Types].xml"), False, "spreadsheet_file"),
    Case("large-book.csv", zipped("_rels/.rels", *map(str, range(99)), "xl/workbook.xml"), False, "spreadsheet_file"),
    Case("letter.txt", zipped("[Content_Types].xml", "word/document.xml"), False, "binary_file"),
    Case("letter.rtf", b"{\\rtf1\\ansi hello}", False, "binary_file"),
    Case("gzip.jsonl", gzip.compress(LINE.encode()), False, "compressed_file"),
    Case("zst.jsonl", b"\x28\xb5\x2f\xfd" + b"\0" * 40, False, "compressed_file"),
    Case("tar.csv", b"a.csv".ljust(257, b"\0") + b"ustar\x0000", False, "compressed_file"),
    Case("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, False, "spreadsheet_file"),
    Case("parquet.json", b"PAR1" + b"\0" * 100, False, "binary_file"),
    Case("pickle.jsonl", b"\x80\x04\x95" + b"\0" * 100, False, "binary_file"),
    Case("image.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, False, "binary_file"),
    # D19, D20, D21 quality
    Case("control-token.jsonl", pair("a<|im_end|>", "b"), True, "control_tokens", 1),
    Case("inst-token.jsonl", pair("[INST] a [/INST]", "b</s>"), True, "control_tokens", 1),
    Case("duplicate.jsonl", lines(LINE, OTHER, LINE), True, "duplicate", 3),
    Case("near.jsonl", lines(LINE, {**ROW, "output": ANSWER + " "}), True, "near_duplicate", 2),
    Case("contradiction.jsonl", lines(LINE, {**ROW, "output": "夜の9時までです。"}), True, "contradiction", 2),
    Case("one-row.jsonl", lines(LINE), True, "too_few_rows"),
    Case("mail.jsonl", pair("連絡先は", "taro.yamada@yamada-shoten.co.jp です"), True, "personal_mail", 1),
    Case("phone.jsonl", pair("電話は", "０９０－１２３４－５６７８です"), True, "personal_phone", 1),
    Case("my-number.jsonl", pair("番号は", "1234 5678 9018です"), True, "personal_my_number", 1),
    Case("address.jsonl", pair("住所は", "東京都千代田区丸の内1-2-3です"), True, "personal_address", 1),
    Case("nfd.jsonl", pair("か\u3099くせい", "b"), True, "not_nfc", 1),
    Case("zero-width.jsonl", pair("a\u200bb", "b"), True, "zero_width", 1),
    Case("bidi.jsonl", pair("a\u202eb", "b"), True, "bidi_controls", 1),
    Case("control.jsonl", pair("a\x07b", "b"), True, "control_characters", 1),
    Case("mojibake.jsonl", pair("こんにちは".encode().decode("cp932", "ignore"), "b"), True, "mojibake", 1),
    Case("mojibake-latin.jsonl", pair("こんにちは".encode().decode("latin-1"), "b"), True, "mojibake", 1),
    Case("replaced.jsonl", pair("a\ufffdb", "b"), True, "mojibake", 1),
)
