"""Model cards: front matter that YAML reads, facts of the job, no folder of this machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from llmlora.core.job import JobConfig, read_job
from llmlora.core.locale import set_language, translate
from llmlora.export.card import adapter_card, base_front_matter, export_card, merged_card
from tiny_jobs import MakeJob


@pytest.fixture
def job(make_job: MakeJob, tmp_path: Path) -> JobConfig:
    folder = make_job("llama", {})
    card = '---\nlicense: apache-2.0\nlanguage: ["ja", "en"]\n---\n# base\n'
    (tmp_path / "base" / "README.md").write_text(card, encoding="utf-8")
    return read_job(folder)


def front_matter(card: str) -> dict[str, object]:
    assert card.startswith("---\n")
    return dict(yaml.safe_load(card[4:].split("\n---\n")[0]))


def test_adapter_card_says_what_it_is_for(job: JobConfig, tmp_path: Path):
    card = adapter_card(job, {"final_loss": 0.25, "eval_loss": None, "num_tokens": 1234})
    header = front_matter(card)
    assert header["library_name"] == "peft"
    assert header["base_model"] == "base"
    assert header["license"] == "apache-2.0"
    assert header["language"] == ["ja", "en"]
    assert header["datasets"] == ["data"]
    assert "lora" in header["tags"]
    assert "- final_loss: 0.25" in card
    assert "- num_tokens: 1234" in card
    assert "eval_loss" not in card
    assert str(tmp_path) not in card


def test_merged_and_export_cards(job: JobConfig, tmp_path: Path):
    assert front_matter(merged_card(job))["library_name"] == "transformers"
    card = export_card(job, {"model-Q4_K_M.gguf": 1234567}, {"model-Q4_K_M.gguf": "lost 2 facts"})
    assert "lost 2 facts" in card
    assert front_matter(card)["library_name"] == "gguf"
    assert "| model-Q4_K_M.gguf | 1,234,567 |" in card
    assert str(tmp_path) not in card


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_card_explains_its_numbers_and_rounds_them(job: JobConfig, language: str):
    set_language(language)
    card = adapter_card(job, {"final_loss": 0.0013055366175880624, "perplexity": 7.9337753287120085, "seconds": 15.1})
    assert "- final_loss: 0.001306 — " in card
    assert f"- perplexity: 7.934 — {translate('evaluation.report.perplexity_of_held_out')}" in card
    assert f"- r: {job.train.r} — {translate('config.r')}" in card
    assert f" — {translate('config.lora_alpha')}" in card
    assert "use_dora" not in card, "what is off is no fact about this model"
    assert not re.search(r"\d\.\d{7}", card)


def test_every_card_says_how_to_load_it_and_what_not_to_expect(job: JobConfig):
    set_language("en")
    cards = {
        "PeftModel.from_pretrained": adapter_card(job, {}),
        "AutoModelForCausalLM.from_pretrained": merged_card(job),
        "ollama create my-model -f Modelfile": export_card(job, {}, {}),
    }
    for call, card in cards.items():
        assert call in card
        assert "Trained on data.jsonl. On anything else" in card
        assert card.count("```") == 2


def test_a_card_names_the_variants_that_are_on(job: JobConfig):
    with_dora = job.model_copy(update={"train": job.train.model_copy(update={"use_dora": True})})
    assert "- use_dora: True" in adapter_card(with_dora, {})
    assert "use_rslora" not in adapter_card(with_dora, {})


def test_cards_speak_the_users_language(job: JobConfig):
    set_language("ja")
    assert "追加学習済みモデル" in merged_card(job)
    set_language("en")
    assert "fine-tuned" in merged_card(job)


@pytest.mark.parametrize(
    "text", ["", "no header", "---\n: : :\n---\n", "---\n- a\n- b\n---\n", "---\nlicense: [\n---\n"]
)
def test_a_damaged_base_card_is_no_obstacle(text: str, tmp_path: Path):
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert base_front_matter(tmp_path) == {}
    assert base_front_matter(tmp_path / "nowhere") == {}


def test_front_matter_survives_odd_names(job: JobConfig, tmp_path: Path):
    odd = job.model_copy(update={"base_model": 'org/a: "b" #c'})
    assert front_matter(merged_card(odd))["base_model"] == 'org/a: "b" #c'


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_card_lists_what_to_make_sure_of_before_it_is_passed_on(job: JobConfig, language: str):
    set_language(language)
    cards = {"gguf": export_card(job, {}, {}), "peft": adapter_card(job, {}), "transformers": merged_card(job)}
    for library, card in cards.items():
        boxes = re.findall(r"^- \[ \] (.+)$", card, flags=re.M)
        assert len(boxes) == 4
        assert "apache-2.0" in boxes[0]
        assert "data.jsonl" in boxes[1]
        assert boxes[3] == translate(f"export.card.sharing_with_{library}", base_model="base")


def test_a_base_without_a_licence_is_no_free_base(job: JobConfig, tmp_path: Path):
    (tmp_path / "base" / "README.md").unlink()
    assert translate("export.card.sharing_no_licence", base_model="base") in merged_card(job)
