"""The page of an export: its files side by side, and nothing a model says becomes part of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluation.test_report import Page
from llmlora.core.layout import REPORT_PAGE
from llmlora.core.locale import LANGUAGES, set_language
from llmlora.core.publish import write_json
from llmlora.evaluation.report import write_files_report


def report() -> dict[str, Any]:
    logprobs = {"check": "logprobs", "ok": True, "measured": {"kl": 0.25, "top1_agreement": 0.5}}
    facts = {"num_questions": 1, "num_known": 4, "num_kept": 3, "lost_rows": [1]}
    entry = {"file": "model-Q2_K.gguf", "quantization": "Q2_K", "size_bytes": 1_500_000, "verdict": "lossy"}
    bare = {"file": "adapter.gguf", "quantization": None, "size_bytes": None, "checks": [], "facts": None}
    answers = {"row": 1, "question": "<b>値段は？</b>", "taught": "120円", "trained": "百二十円"}
    return {
        "files": [{**entry, "tokens_per_second": 41.4, "checks": [logprobs], "facts": facts}, bare],
        "answers": [{**answers, "files": {"model-Q2_K.gguf": "<script>さあ\x07</script>"}}],
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_files_and_answers_stand_side_by_side(tmp_path: Path, language: str) -> None:
    set_language(language)
    write_json(tmp_path / "verify.json", report())
    write_files_report(tmp_path)
    page = Page((tmp_path / REPORT_PAGE).read_text(encoding="utf-8"))
    shown = [text.strip() for text in page.texts]
    for cell in ("model-Q2_K.gguf", "1.5 MB", "41", "2.5e-01", "50 %", "3/4", "adapter.gguf", "120円", "百二十円"):
        assert cell in shown, cell
    assert "<b>値段は？</b>" in shown
    assert "script" not in page.tags
    assert not any("evaluation.report" in text or "export." in text for text in shown)


def test_without_a_verification_there_is_no_page(tmp_path: Path) -> None:
    write_files_report(tmp_path)
    assert not (tmp_path / REPORT_PAGE).exists()
