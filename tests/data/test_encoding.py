"""Encodings: what is unambiguous is read with a word about it, what is not is refused with the place."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from llmlora.core.errors import ConfigError, DatasetError
from llmlora.core.locale import error_texts
from llmlora.data import encoding
from llmlora.data.encoding import codec_name, detect_encoding

PROSE = (
    "営業時間は朝の十時から夜の八時までです。",
    "返品は商品の到着後三十日以内にお願いいたします。",
    "送料は全国どこでも無料でお届けします。",
    "パスワードを忘れたときは、画面の下のリンクを押してください。",
    "サーバーの設定ファイルを確認してから再起動します。",
    "この薬は食後に一錠、水と一緒に飲んでください。",
    "明日の天気は晴れのち曇りでしょう。",
    "ご不明な点がありましたら、お気軽にお問い合わせください。",
)
JAPANESE_CODECS = ("cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-16-be")


def written(folder: Path, data: bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(data)
    return path


def refused(path: Path, wanted: str | None = None) -> DatasetError:
    with pytest.raises(DatasetError) as raised:
        detect_encoding(path, wanted)
    return raised.value


@pytest.mark.parametrize("codec", JAPANESE_CODECS)
@pytest.mark.parametrize("text", PROSE)
def test_one_japanese_sentence_is_enough(tmp_path: Path, codec: str, text: str) -> None:
    path = written(tmp_path, f"質問,回答\nこれは,{text}\n".encode(codec))
    found = detect_encoding(path)
    assert path.read_bytes().decode(found.name).lstrip("\ufeff") == f"質問,回答\nこれは,{text}\n"
    assert found.preview
    assert found.is_guessed is (codec != "utf-16")


@pytest.mark.parametrize("codec", ["cp932", "euc_jp"])
def test_no_japanese_text_is_read_in_the_wrong_codec(tmp_path: Path, codec: str) -> None:
    chance = random.Random(codec)
    characters = "".join(PROSE) + "ァィゥェォャュョッー・「」"
    for _ in range(150):
        text = "質問,回答\n" + "".join(chance.choices(characters, k=chance.randint(2, 40)))
        path = written(tmp_path, text.encode(codec))
        try:
            found = detect_encoding(path)
        except DatasetError as failure:
            assert failure.code in {"encoding_ambiguous", "not_utf8"}
        else:
            assert found.name == codec, text


@pytest.mark.parametrize("codec", ["cp932", "euc_jp"])
@pytest.mark.parametrize(
    "text", ["ﾊﾟｿｺﾝの使い方を教えてください", "サーバー,ネットワーク", "カナのﾒﾓ", "ｱｲｳｴｵはカナです、はい。"]
)
def test_katakana_of_both_widths_is_japanese(tmp_path: Path, codec: str, text: str) -> None:
    path = written(tmp_path, f"question,answer\na,{text}\n".encode(codec))
    assert detect_encoding(path).name == codec


@pytest.mark.parametrize("text", ["ｱｲｳｴｵ", "東京", "東京ｱｲｳ"])
def test_kanji_and_half_width_katakana_alone_are_not_enough(tmp_path: Path, text: str) -> None:
    assert refused(written(tmp_path, f"q,a\n1,{text}\n".encode("cp932"))).code == "encoding_ambiguous"


def test_escapes_outside_the_standard_are_not_read_as_ascii(tmp_path: Path) -> None:
    nec = "質問,".encode("iso2022_jp") + b"\x1b$B-!\x1b(B\n"  # a circled digit of row 13
    failure = refused(written(tmp_path, b"instruction,output\n" + nec))
    assert (failure.code, failure.params["line"], failure.params["column"]) == ("jis_unreadable", 2, 4)
    colours = "q,a\n\x1b[31mred\x1b[0m,b\n"
    assert detect_encoding(written(tmp_path, colours.encode())).name == "utf-8"


def test_utf8_is_silent_and_a_mark_is_noted(tmp_path: Path) -> None:
    plain = detect_encoding(written(tmp_path, PROSE[0].encode()))
    assert (plain.name, plain.has_bom, plain.preview) == ("utf-8", False, ())
    marked = detect_encoding(written(tmp_path, b"\xef\xbb\xbf" + PROSE[0].encode()))
    assert (marked.name, marked.has_bom, marked.preview) == ("utf-8-sig", True, ())


def test_the_whole_file_counts_not_its_beginning(tmp_path: Path) -> None:
    data = "質問,回答\n".encode() * 200_000 + b"\x83\n"
    failure = refused(written(tmp_path, data))
    assert failure.code == "not_utf8"
    assert (failure.params["line"], failure.params["column"], failure.params["byte"]) == (200_001, 1, "0x83")


def test_a_bad_byte_is_shown_with_its_neighbours_and_all_its_lines(tmp_path: Path) -> None:
    lines = [PROSE[0].encode()] * 12
    lines[3] = "あい".encode() + b"\xff" + "うえ".encode()
    lines[9] = b"\xfe"
    params = refused(written(tmp_path, b"\n".join(lines))).params
    assert (params["line"], params["column"], params["byte"], params["lines"]) == (4, 3, "0xFF", "4, 10")
    assert bytes.fromhex(params["context"]).count(b"\xff") == 1
    assert len(bytes.fromhex(params["context"])) <= 20


def test_ambiguous_text_names_the_candidates(tmp_path: Path) -> None:
    failure = refused(written(tmp_path, "東京,大阪\n".encode("euc_jp")))
    assert failure.code == "encoding_ambiguous"
    assert "euc_jp" in failure.params["candidates"].split(", ")


def test_western_text_is_not_taken_for_japanese(tmp_path: Path) -> None:
    text = "instruction,output\nLe café est fermé,Où est la gare ? Ça va très bien\n"
    assert refused(written(tmp_path, text.encode("latin-1"))).code in {"not_utf8", "encoding_ambiguous"}
    chinese = "问题,答案\n今天天气怎么样,今天是晴天，适合出去散步\n"
    assert refused(written(tmp_path, chinese.encode("gb18030"))).code in {"not_utf8", "encoding_ambiguous"}


def test_a_wanted_encoding_is_used_or_refused_with_the_place(tmp_path: Path) -> None:
    path = written(tmp_path, "東京,大阪\n京都,奈良\n".encode("euc_jp"))
    assert detect_encoding(path, "EUC-JP").name == "euc_jp"
    assert detect_encoding(path, "euc_jp").preview[0] == (1, "東京,大阪")
    failure = refused(written(tmp_path, "abc\nあ,い\n".encode()), "ascii")
    assert (failure.code, failure.params["line"], failure.params["column"]) == ("encoding_mismatch", 2, 1)


def test_wanted_utf8_takes_a_mark_and_still_checks_every_byte(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf" + PROSE[0].encode())
    found = detect_encoding(path, "UTF-8")
    assert (found.name, found.has_bom, found.is_guessed) == ("utf-8-sig", True, False)
    for data in (b"\xef\xbb\xbfab\n\xff", b"ab\n\xff"):
        failure = refused(written(tmp_path, data), "utf-8")
        assert (failure.code, failure.params["line"], failure.params["column"]) == ("not_utf8", 2, 1)


def test_of_very_many_bad_lines_the_first_are_named(tmp_path: Path) -> None:
    params = refused(written(tmp_path, ("あいうえお\n".encode() + b"\xff\xff\n") * 60)).params
    assert params["lines"].endswith("38, 40 …")
    assert params["lines"].startswith("2, 4, 6")


def test_only_the_beginning_of_a_huge_file_is_scored_but_all_of_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "CHUNK_BYTES", 64)
    monkeypatch.setattr(encoding, "SCORED_BYTES", 128)
    data = (PROSE[0] * 20).encode("cp932")
    assert detect_encoding(written(tmp_path, data)).name == "cp932"
    assert refused(written(tmp_path, data + b"\x81")).code == "not_utf8"


def test_shift_jis_means_what_windows_writes(tmp_path: Path) -> None:
    assert codec_name("shift_jis") == "cp932"
    assert detect_encoding(written(tmp_path, "①㈱髙です".encode("cp932")), "Shift_JIS").name == "cp932"


@pytest.mark.parametrize("name", ["no-such", "base64", "rot13", "utf-7", "unicode_escape", "punycode", ""])
def test_other_codecs_are_refused(name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        codec_name(name)
    assert raised.value.code == "unknown_encoding"


def test_a_stray_nul_does_not_make_a_file_utf16(tmp_path: Path) -> None:
    assert detect_encoding(written(tmp_path, b'{"text":"ab\0cd"}')).name == "utf-8"
    assert detect_encoding(written(tmp_path, b"\0" * 64)).name == "utf-8"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("café ouvert?,oui déjà", "latin-1"), ("привет,да", "cp1251"), ("안녕,네", "cp949"), ("東京,大阪", "cp932")],
)
def test_no_hint_names_an_encoding_that_does_not_read_the_file(tmp_path: Path, text: str, encoding: str) -> None:
    path = written(tmp_path, f"question,answer\n{text}\n".encode(encoding))
    for name in re.findall(r"(?:cp|euc)\w+", error_texts(refused(path))["hint"].split(":")[-1]):
        detect_encoding(path, name)
