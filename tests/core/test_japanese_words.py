"""One word per thing in what Japanese users read; the other words for it stay out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmlora.core.locale import catalogue

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.ja.md", *sorted((ROOT / "docs").rglob("*.ja.md"))]
OTHER_WORDS = {
    "フォルダー": r"フォルダ(?!ー)|ディレクトリ",
    "作業フォルダー": r"ワークスペース",
    "ユーザー": r"ユーザ(?!ー)",
    "データセット": r"データ・セット|データ セット",
    "評価用": r"検証用|評価用の(?:データ|行の)",
    "項目": r"フィールド",
    "学習": r"訓練",
    "例": r"件目|1行に1件|最大長[^、。]*を超える[^、。]*件|件数の目安|データ(?:の)?件数|データ[はがを] ?[\d{}a-z]+ ?件",
}
# What the page calls its tab, its button and its field; a text is such a name as a whole, or quotes it.
PAGE_NAMES = "訓練|訓練設定|訓練ジョブ|このデータで訓練|このモデルで訓練|新しい訓練ジョブ|訓練を開始|訓練データセット"
A_PAGE_NAME = re.compile(rf"\A(?:{PAGE_NAMES})\Z|「(?:{PAGE_NAMES})」")
EXAMPLES = re.compile(r"rows|examples|num_(?:read|written|eval|overlong)|texts_split|too_few|size|dataset_has|folded")
OF_OTHER_THINGS = re.compile(r"(?:事実|質問|問題|警告|エラー|発言|回答|文章|答え)[^、。]*件|件の事実|件[^。]*質問")


def texts() -> list[tuple[str, str]]:
    """Return every text and every page that Japanese users read, with its name."""
    pages = [(str(page.relative_to(ROOT)), page.read_text(encoding="utf-8")) for page in PAGES]
    return [*catalogue("ja").items(), *pages]


@pytest.mark.parametrize("word", OTHER_WORDS)
def test_a_thing_has_one_word(word: str) -> None:
    found = {name: re.findall(OTHER_WORDS[word], A_PAGE_NAME.sub("", text)) for name, text in texts()}
    assert not {name: words for name, words in found.items() if words}


@pytest.mark.parametrize(
    ("text", "is_name"),
    [("訓練", True), ("「訓練を開始」を押します", True), ("訓練を開始します", False), ("訓練データ", False)],
)
def test_only_names_of_the_page_say_it_otherwise(text: str, is_name: bool) -> None:
    assert ("訓練" not in A_PAGE_NAME.sub("", text)) is is_name


def test_examples_of_a_data_set_are_counted_as_such() -> None:
    counted = {key: text.replace("条件", "") for key, text in catalogue("ja").items() if EXAMPLES.search(key)}
    assert any("例" in text for text in counted.values())
    wrong = {key: text for key, text in counted.items() if "件" in text and not OF_OTHER_THINGS.search(text)}
    assert not wrong
