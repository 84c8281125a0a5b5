"""Findings about rows that can be trained on: found where they are, and not found where they are not."""

from __future__ import annotations

import pytest

from llmlora.core.examples import Example, Message
from llmlora.data.japanese import is_my_number, masked, personal_data, style_of
from llmlora.data.quality import answers_of, question_and_answer, row_warnings, texts_of


def found(text: str) -> list[str]:
    return [problem.code for problem in row_warnings(Example(1, 1, text=text))]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("ふつうの文です。\n改行と\u3000全角の空白。tab\tも。", []),
        ("Plain English text, with 1,234 numbers.", []),
        ("emoji 👨\u200d👩\u200d👧 and flags 🇯🇵", []),
        ("a<b and c>d, list[0], <br>", []),
        ("a\x00b", ["nul_escape"]),
        ("か\u3099", ["not_nfc"]),
        ("Ame\u0301lie", ["not_nfc"]),
        ("zero\u200bwidth", ["zero_width"]),
        ("\ufeffmark", ["zero_width"]),
        ("abc\u202edef", ["bidi_controls"]),
        ("bell\x07", ["control_characters"]),
        ("<|im_start|>user", ["control_tokens"]),
        ("<s>[INST] a [/INST]</s>", ["control_tokens"]),
        ("<start_of_turn>", ["control_tokens"]),
        ("<｜User｜>", ["control_tokens"]),
        ("繧ｵ繝ｼ繝舌・", ["mojibake"]),
        ("ã\u0081\u0093ã\u0082\u0093", ["mojibake"]),
        ("caf\ufffd", ["mojibake"]),
        ("縺れる糸", []),
        ("Ãlvaro", []),
        ("taro@yamada-shoten.co.jp", ["personal_mail"]),
        ("ｔａｒｏ＠ｙａｍａｄａ．ｊｐ", ["personal_mail"]),
        ("info@example.com と user@mail.example.co.jp", []),
        ("電話 03-1234-5678", ["personal_phone"]),
        ("携帯 09012345678", ["personal_phone"]),
        ("＋81 90-1234-5678", ["personal_phone"]),
        ("2024-01-15 から 2024-12-31", []),
        ("商品番号 1234-5678、金額 12,345,678円", []),
        ("〒100-0001", ["personal_address"]),
        ("大阪府大阪市北区梅田3丁目1番", ["personal_address"]),
        ("東京都の人口は1400万人", []),
        ("マイナンバー 123456789018", ["personal_my_number"]),
        ("注文番号 123456789012", []),
    ],
)
def test_findings(text: str, codes: list[str]) -> None:
    assert found(text) == codes


def test_a_finding_names_the_field_and_shows_what_is_invisible() -> None:
    example = Example(4, 9, messages=(Message("user", "q"), Message("assistant", "見え\u200bない")))
    problem = next(row_warnings(example))
    assert (problem.line, problem.row, problem.field) == (9, 4, "assistant")
    assert problem.params == {"found": "U+200B", "text": "見え<U+200B>ない"}


def test_personal_data_is_masked() -> None:
    problem = next(row_warnings(Example(1, 1, text="連絡先: taro.yamada@yamada.jp")))
    assert problem.params["text"] == "tar…"
    assert "yamada" not in str(problem.to_dict())
    assert masked("ab") == "ab…"


def test_check_digits_of_individual_numbers() -> None:
    assert is_my_number("123456789018")
    valid = [digit for digit in range(10) if is_my_number(f"98765432109{digit}")]
    assert len(valid) == 1
    assert [code for code, _ in personal_data("1234 5678 9018 / 1234-5678-9018")] == ["personal_my_number"] * 2


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("営業時間は8時までです。", "polite"),
        ("返品できます。ご連絡ください。", "polite"),
        ("送料は無料である。", "plain"),
        ("サーバーを再起動する", "plain"),
        ("はい、そうですか？", "polite"),
        ("980円", None),
        ("The answer is yes.", None),
        ("東京と大阪", None),
        ("これは本だ。これは本です。", None),
    ],
)
def test_style(text: str, style: str | None) -> None:
    assert style_of(text) == style


def test_what_is_given_and_what_is_learned() -> None:
    chat = Example(
        1,
        1,
        messages=(Message("user", "a"), Message("assistant", "b"), Message("user", "c"), Message("assistant", "d")),
    )
    question, answer = question_and_answer(chat)
    assert answer == "d"
    assert all(text in question for text in "abc")
    assert answers_of(chat) == ["b", "d"]
    assert question_and_answer(Example(1, 1, messages=(Message("user", "a"), Message("assistant", "b")))) == ("a", "b")
    completion = Example(1, 1, prompt="p", completion="c")
    assert question_and_answer(completion) == ("p", "c")
    assert texts_of(completion) == [("prompt", "p"), ("completion", "c")]
    assert (question_and_answer(Example(1, 1, text="t")), answers_of(Example(1, 1, text="t"))) == (("t", ""), ["t"])
