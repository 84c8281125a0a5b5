"""One row changes, and nothing else of the file does, whatever its layout."""

import json

import pytest

from llmlora.core.errors import DatasetError, DatasetRowError
from llmlora.data import container, lines
from llmlora.data.convert import RowPlan
from llmlora.data.edit import RowChange, add_row, change_row, keep_rows
from llmlora.data.read import ReadOptions, Source


def changed(tmp_path, name, content, change, **read):
    path, target = tmp_path / name, tmp_path / "out"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    suffix = change_row(Source(path, ReadOptions(**read)), target, change)
    return suffix, target.read_bytes().decode()


LINES = '{"instruction": "a",  "output": "b"}\n\n{"instruction": "c", "output": \n{"text": 1.50}'


def test_a_field_of_json_lines(tmp_path):
    suffix, text = changed(tmp_path, "d.jsonl", LINES, RowChange(1, fields={"output": "直した"}))
    _, *rest = LINES.split("\n")
    assert (suffix, text) == (".jsonl", "\n".join(['{"instruction": "a", "output": "直した"}', *rest]))


def test_a_whole_row_takes_the_place_of_a_broken_one(tmp_path):
    _, text = changed(tmp_path, "d.jsonl", LINES, RowChange(2, value={"text": "x"}))
    assert text.split("\n") == [*LINES.split("\n")[:2], '{"text": "x"}', '{"text": 1.50}']
    with pytest.raises(DatasetRowError) as caught:
        changed(tmp_path, "d.jsonl", LINES, RowChange(2, fields={"text": "x"}))
    assert (caught.value.code, caught.value.params["line"]) == ("row_unreadable", 3)


def test_a_row_goes(tmp_path):
    _, text = changed(tmp_path, "d.jsonl", LINES, RowChange(3))
    assert text == "\n".join(LINES.split("\n")[:3]) + "\n"


def test_a_row_that_is_not_there(tmp_path):
    with pytest.raises(DatasetError) as caught:
        changed(tmp_path, "d.jsonl", LINES, RowChange(4))
    assert caught.value.code == "row_not_there"


TABLE = '\ufeffquestion,answer\r\n"two\r\nlines, quoted",x\r\n=1+1,"y"\r\n'


def test_a_cell_of_a_table(tmp_path):
    suffix, text = changed(tmp_path, "d.csv", TABLE, RowChange(1, fields={"answer": 'say "x",\nplease'}))
    expected = 'question,answer\r\n"two\r\nlines, quoted","say ""x"",\nplease"\r\n=1+1,"y"\r\n'
    assert (suffix, text) == (".csv", expected)
    _, text = changed(tmp_path, "d.csv", TABLE, RowChange(2))
    assert text == 'question,answer\r\n"two\r\nlines, quoted",x\r\n'


def test_a_ragged_record_is_replaced(tmp_path):
    table = "question;answer\na;b\nc;d;e\nf;g\n"
    _, text = changed(tmp_path, "d.csv", table, RowChange(2, value={"question": "c", "answer": "d;e"}))
    assert text == 'question;answer\na;b\nc;"d;e"\nf;g\n'


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"answer": 3}, "cell_not_text"), ({"answer": "\0"}, "cell_not_text"), ({"other": "x"}, "column_not_there")],
)
def test_what_no_table_holds(tmp_path, fields, code):
    with pytest.raises(DatasetRowError) as caught:
        changed(tmp_path, "d.csv", TABLE, RowChange(1, fields=fields))
    assert caught.value.code == code


def test_a_table_without_a_header(tmp_path):
    columns = {"instruction": "#1", "output": "#2"}
    table = "月額は？,980円です。\n年額は？,9800円です。\n"
    _, text = changed(tmp_path, "d.csv", table, RowChange(1, fields={"#2": "990円です。"}), columns=columns)
    assert text == "月額は？,990円です。\n年額は？,9800円です。\n"


def test_a_paragraph(tmp_path):
    suffix, text = changed(tmp_path, "d.txt", "一\n二\n\n三\n四\n", RowChange(2, fields={"text": "五"}))
    assert (suffix, text) == (".txt", "一\n二\n\n五\n")


@pytest.mark.parametrize("wrap", ["{}", '{{"version": 1, "data": {}}}'])
def test_a_document_becomes_lines(tmp_path, wrap):
    rows = [{"instruction": "a", "output": "b"}, {"instruction": "c", "output": "d"}]
    content = wrap.format(json.dumps(rows, indent=1))
    suffix, text = changed(tmp_path, "d.json", content, RowChange(2, fields={"output": "新"}))
    assert suffix == ".jsonl"
    assert [json.loads(line) for line in text.splitlines()] == [rows[0], {"instruction": "c", "output": "新"}]


def test_a_document_with_another_broken_row(tmp_path):
    content = '[{"text": "a"}, {"text": "a", "text": "b"}, {"text": "c"}]'
    with pytest.raises(DatasetRowError) as caught:
        changed(tmp_path, "d.json", content, RowChange(1, fields={"text": "x"}))
    assert caught.value.code == "rows_unreadable"
    _, text = changed(tmp_path, "d.json", content, RowChange(2, value={"text": "b"}))
    assert text.count("\n") == 3


def test_another_encoding_becomes_utf8(tmp_path):
    content = "質問,回答\n月額は？,980円です。\n".encode("cp932")
    _, text = changed(tmp_path, "d.csv", content, RowChange(1, fields={"回答": "990円です。"}), encoding="cp932")
    assert text == "質問,回答\n月額は？,990円です。\n"


def test_lines_that_are_too_long_stay_whole(tmp_path, monkeypatch):
    for module in (container, lines):
        monkeypatch.setattr(module, "LINE_CHARACTERS", 100)
    monkeypatch.setattr(lines, "SKIPPED_CHARACTERS", 7)
    long = '{"text": "' + "x" * 300 + '"}'
    content = f'{long}\n{{"text": "a"}}\n{long}\n'
    _, text = changed(tmp_path, "d.jsonl", content, RowChange(2, fields={"text": "b"}))
    assert text == f'{long}\n{{"text": "b"}}\n{long}\n'


def kept(tmp_path, name, content, **choices):
    path, target = tmp_path / name, tmp_path / "out"
    path.write_text(content, encoding="utf-8", newline="")
    source = Source(path, ReadOptions())
    return keep_rows(source, target, RowPlan(source, choices).marks), target.read_bytes().decode()


def test_rows_that_stay_are_kept_as_they_stand(tmp_path):
    good, broken = '{"instruction": "a",  "output": "b", "n": 1.50}\n', '{"instruction": "c", "output": \n'
    suffix, text = kept(tmp_path, "d.jsonl", f"\n{good}{broken}\n{good}{broken}{good}", drop_invalid=True)
    assert (suffix, text) == (".jsonl", f"\n{good}{good}{good}")
    _, text = kept(tmp_path, "d.jsonl", f"{good}{broken}{good}", drop_invalid=True, deduplicate=True)
    assert text == good


def test_records_that_stay_are_kept_as_they_stand(tmp_path):
    head, first, last = "question,answer\r\n", '"two\r\nlines",x\r\n', "=1+1,y\r\n"
    suffix, text = kept(tmp_path, "d.csv", f'{head}{first}a,b,c\r\n{last}"two\r\nlines",""\r\n', drop_invalid=True)
    assert (suffix, text) == (".csv", head + first + last)


def test_elements_that_stay_become_lines(tmp_path):
    suffix, text = kept(tmp_path, "d.json", '[{"text": "a"}, {"text": ""}, {"text": "a"}]', drop_invalid=True)
    assert (suffix, text) == (".jsonl", '{"text": "a"}\n{"text": "a"}\n')


def added(tmp_path, name, content, value, **read):
    path, target = tmp_path / name, tmp_path / "out"
    path.write_text(content, encoding="utf-8", newline="")
    suffix = add_row(Source(path, ReadOptions(**read)), target, value)
    return suffix, target.read_bytes().decode()


def test_a_new_row_stands_behind_the_others(tmp_path):
    new = {"instruction": "新しい", "output": "答え"}
    line = '{"instruction": "新しい", "output": "答え"}\n'
    assert added(tmp_path, "d.jsonl", LINES, new) == (".jsonl", f"{LINES}\n{line}")
    assert added(tmp_path, "d.json", '[{"text": "a"}]', new) == (".jsonl", '{"text": "a"}\n' + line)
    suffix, text = added(tmp_path, "d.csv", "question,answer,note\r\na,b,c\r\n", {"question": "x", "answer": "y"})
    assert (suffix, text) == (".csv", "question,answer,note\r\na,b,c\r\nx,y,\r\n")


def test_a_new_paragraph_is_a_row_of_its_own(tmp_path):
    suffix, text = added(tmp_path, "d.txt", "一つ目です。\n\n二つ目です。", {"text": "三つ目です。"})
    (tmp_path / "new.txt").write_text(text, encoding="utf-8")
    rows = [item.value["text"] for item in Source(tmp_path / "new.txt", ReadOptions()).rows()]
    assert (suffix, rows) == (".txt", ["一つ目です。", "二つ目です。", "三つ目です。"])


def test_a_new_row_that_does_not_fit_says_where_it_would_stand(tmp_path):
    with pytest.raises(DatasetRowError) as caught:
        added(tmp_path, "d.csv", "question,answer\na,b\n", {"frage": "x"})
    assert (caught.value.code, caught.value.params["row"], caught.value.params["line"]) == ("column_not_there", 2, 3)
    with pytest.raises(DatasetRowError) as caught:
        added(tmp_path, "d.json", '[{"text": "a"}, 1]', {"text": "b"})
    assert caught.value.code == "rows_unreadable"
