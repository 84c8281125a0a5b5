"""What is asked about a file: encodings with lines before and after, columns with what stands in them."""

from llmlora.data.doubts import doubts_of
from llmlora.data.read import ReadOptions
from llmlora.data.validate import check_dataset


def doubts(tmp_path, name, content, **read):
    path = tmp_path / name
    path.write_bytes(content)
    return doubts_of(path, check_dataset(path, ReadOptions(**read)))


def test_nothing_is_in_doubt(tmp_path):
    assert doubts(tmp_path, "d.csv", "質問,回答\nはい？,はい。\n".encode()) is None


def test_an_encoding_that_is_not_clear(tmp_path):
    content = "q,a\nｶﾅ,ｱ\n".encode("cp932")
    found = doubts(tmp_path, "d.csv", content)
    names = [item["encoding"] for item in found["encodings"]]
    assert "cp932" in names
    shown = found["encodings"][names.index("cp932")]["lines"][0]
    assert (shown["line"], shown["after"]) == (2, "ｶﾅ,ｱ")
    assert "\ufffd" in shown["before"]


def test_an_encoding_that_was_found_is_shown_as_well(tmp_path):
    found = doubts(tmp_path, "d.csv", "質問,回答\nこれは何ですか？,それはねこです。\n".encode("euc_jp"))
    assert found["encodings"][0]["encoding"] == "euc_jp"
    assert found["encodings"][0]["lines"][0]["after"] == "質問,回答"


def test_columns_whose_meaning_is_not_clear(tmp_path):
    found = doubts(tmp_path, "d.csv", "番号,件名,内容\n1,月額は？,980円です。\n2,年額は？,9800円です。\n".encode())
    assert found["encodings"] == []
    assert [column["name"] for column in found["columns"]["names"]] == ["番号", "件名", "内容"]
    assert found["columns"]["names"][2]["examples"] == ["980円です。", "9800円です。"]
    assert found["columns"]["map"] == {"instruction": "件名", "output": "内容"}


def test_a_table_without_a_header(tmp_path):
    found = doubts(tmp_path, "d.csv", "月額は？,980円です。\n年額は？,9800円です。\n".encode())
    assert found["columns"]["map"] == {"instruction": "#1", "output": "#2"}
    assert found["columns"]["names"][0] == {"name": "#1", "examples": ["月額は？", "年額は？"]}
