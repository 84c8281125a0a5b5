"""`llmlora merge`, `export`, `verify` and `chat` from outside: documents, files, exit codes, errors."""

import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from transformers import AutoModelForCausalLM

from cli.command_line import run
from llmlora.cli import export as command
from llmlora.cli.export import print_verification
from llmlora.core.locale import LANGUAGES, set_language, translate
from tiny_jobs import tiny_job

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return tiny_job("llama", tmp_path_factory.mktemp("export"), {}, spread=0.7)


@pytest.fixture(scope="module")
def exported(job):
    result = run("export", job, "-o", job.parent / "out", "--quant", "f16,q8_0", "--json")
    assert result.code == 0, result.stderr
    return result.document


def test_export_document(exported, job):
    assert exported["schema"] == "llmlora.export/1"
    assert exported["output"] == str(job.parent / "out")
    assert {entry["file"]: entry["quantization"] for entry in exported["files"]} == {
        "model-F16.gguf": "F16",
        "model-Q8_0.gguf": "Q8_0",
    }
    assert all(
        Path(job.parent / "out" / entry["file"]).stat().st_size == entry["size_bytes"] for entry in exported["files"]
    )
    assert exported["verify"]["ok"]
    assert exported["model_file"] == "model-Q8_0.gguf"
    assert {"config.json", "runs"} <= {path.name for path in (job.parent / "out").iterdir()}


def test_every_export_has_a_passport_that_verify_checks_first(exported, job):
    out = job.parent / "out"
    passport = json.loads((out / "passport.json").read_text(encoding="utf-8"))
    assert set(passport["files"]) >= {"model-F16.gguf", "model-Q8_0.gguf", "Modelfile"}
    assert {item["verdict"] for item in passport["scores"]["verification"]} == {"verified"}
    modelfile = out / "Modelfile"
    whole = modelfile.read_bytes()
    modelfile.write_bytes(whole + b" ")
    try:
        result = run("verify", out)
        assert result.code == 1 and "Modelfile" in result.stderr
    finally:
        modelfile.write_bytes(whole)


def test_the_files_stand_side_by_side_with_the_same_answers(exported, job):
    out = job.parent / "out"
    found = run("compare", out, "--json").document
    assert (found["schema"], found["folder"]) == ("llmlora.compare_files/1", str(out))
    for file, written in zip(found["files"], exported["files"], strict=True):
        assert (file["file"], file["size_bytes"]) == (written["file"], written["size_bytes"])
        assert file["tokens_per_second"] > 0
        assert 0 <= file["kl"] < 0.01
    (answer,) = found["answers"]
    assert (answer["question"], answer["taught"]) == ("営業時間は？", "午前10時から午後7時までです。")
    assert set(answer["files"]) == {"model-F16.gguf", "model-Q8_0.gguf"}
    assert answer["files"]["model-F16.gguf"] == answer["trained"]
    shown = run("compare", out, LLMLORA_LANG="ja")
    assert shown.code == 0, shown.stderr
    assert "営業時間は？" in shown.stdout and "model-F16.gguf: 同じ" in shown.stdout
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "営業時間は？" in page and "model-Q8_0.gguf" in page


def test_job_and_gguf_file_give_the_same_answer(exported, job):
    texts = []
    for model in (job, job.parent / "out" / "model-F16.gguf"):
        result = run("chat", model, "--prompt", "営業時間は？", "--max-new-tokens", "8", "--json")
        assert result.code == 0, result.stderr
        document = result.document
        assert document.pop("schema") == "llmlora.chat/1"
        assert set(document) == {"text", "finish_reason", "num_tokens", "num_prompt_tokens"}
        texts.append(document["text"])
    assert texts[0] == texts[1]


def test_a_damaged_export_fails_verification_with_its_cause(exported, job, capsys):
    path = job.parent / "out" / "model-F16.gguf"
    passport = job.parent / "out" / "passport.json"  # it would name the changed file before anything is asked
    signed, right = passport.read_bytes(), path.read_bytes()
    passport.unlink()
    (job.parent / "out" / "report.html").unlink()
    path.write_bytes(right.replace(rb"'<|im_start|>assistant\n'", rb"'<|im_start|>assistant\t'"))
    try:
        result = run("verify", job.parent / "out", "--json")
    finally:
        path.write_bytes(right)
        passport.write_bytes(signed)
    assert result.code == 1
    assert result.stdout == ""
    assert result.error["code"] == "verification_failed"
    assert (result.error["params"]["cause"], result.error["params"]["file"]) == ("template", "model-F16.gguf")
    report = json.loads((job.parent / "out" / "verify.json").read_text(encoding="utf-8"))
    assert not report["ok"]
    assert (job.parent / "out" / "report.html").is_file(), "it says which file to take instead"
    assert [entry["ok"] for entry in report["files"]] == [False, True]
    set_language("ja")
    print_verification(report)
    shown = capsys.readouterr()
    assert "チャットテンプレートが学習時と違います" in shown.out
    assert "不合格" in shown.out
    assert shown.err.count("KL は、次のトークンの確率の並びが") == 1


def test_verify_of_a_good_export(exported, job):
    result = run("verify", job.parent / "out")
    assert result.code == 0, result.stderr
    assert "model-F16.gguf" in result.stdout
    assert result.stdout.count("OK") == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_checks_fits_the_screen_and_cuts_no_word(exported, capsys, monkeypatch, language):
    set_language(language)
    monkeypatch.setattr(command.output.out, "width", 80)
    print_verification(exported["verify"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line[:1] in "│┃┏├└"]
    assert max(map(cell_len, lines)) <= 80
    heads = [line.strip("┃").split("┃") for line in lines if line.startswith("┃")]
    shown = ["".join("".join(column).split()) for column in zip(*heads, strict=True)]
    names = ("file", "checks", "facts", "max_diff", "kl", "top1")
    assert shown == ["".join(translate(f"export.table.{name}").split()) for name in names]
    assert all(any(entry["file"] in line for line in lines) for entry in exported["verify"]["files"])


def test_merge_document_and_folder(job):
    result = run("merge", job, "-o", job.parent / "merged", "--dtype", "float16", "--json")
    assert result.code == 0, result.stderr
    document = result.document
    assert document["schema"] == "llmlora.merge/1"
    assert 0 < document["max_abs_error"] < 1e-2
    assert AutoModelForCausalLM.from_pretrained(job.parent / "merged").dtype.itemsize == 2


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("export", "{job}", "-o", "{folder}/x", "--quant", "Q9"), 2, "unknown_quantization"),
        (("export", "{folder}/nothing", "-o", "{folder}/x"), 3, "file_not_found"),
        (("export", "{job}", "-o", "{job}"), 3, "output_not_empty"),
        (("merge", "{job}", "-o", "{folder}"), 3, "output_not_empty"),
        (("merge", "{job}", "-o", "{folder}/y", "--dtype", "int8"), 2, "unknown_dtype"),
        (("verify", "{folder}"), 3, "not_an_export"),
        (("verify", "{job}"), 3, "job_not_export"),
        (("evaluate", "{job}/adapter"), 3, "part_of_a_job"),
        (("chat", "{folder}/missing.gguf", "--prompt", "x"), 3, "file_not_found"),
        (("chat", "{job}"), 2, "chat_json_needs_prompt"),
        (("chat", "{job}", "--prompt", "x", "--temperature", "-1"), 2, "bad_generate_option"),
    ],
)
def test_wrong_calls_end_with_their_code_and_one_json_error(words, code, name, job):
    result = run(*(word.format(job=job, folder=job.parent) for word in words), "--json")
    assert (result.code, result.error["code"]) == (code, name)
    assert result.stdout == ""
    assert result.error["hint"]
    assert "{" not in result.error["what"] + result.error["hint"]


@pytest.mark.parametrize(("language", "words"), [("ja", "似た名前: Q4_K_M。"), ("en", "Similar names: Q4_K_M.")])
def test_a_quantization_that_was_perhaps_meant_is_named(language, words, job):
    result = run("export", job, "-o", job.parent / "z", "--quant", "q4_km", LLMLORA_LANG=language)
    assert (result.code, result.stdout) == (2, "")
    assert words in "".join(result.stderr.splitlines())
    assert not (job.parent / "z").exists()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_only_rounding_explains_is_said_for_every_number_format(language):
    set_language(language)
    floats = {"max_diff": 0.06, "float32_max_diff": 1e-4, "float32_kl": 1e-7, "kl": 1e-6, "rounding": "F16"}
    limits = {"max_diff": 0.05, "kl": 1e-4, "float32_max_diff": 5e-3, "float32_kl": 1e-5}
    assert "0.06" in command._rounding("model-F16.gguf", {"measured": floats, "limits": limits})
    eight_bits = {"max_diff": 3.1, "kl": 0.0225, "float32_max_diff": 1e-3, "float32_kl": 2e-7, "rounding": "Q8_0"}
    limits = {"kl": 0.01, "float32_max_diff": 5e-3, "float32_kl": 1e-5}
    text = command._rounding("model-Q8_0.gguf", {"measured": eight_bits, "limits": limits})
    assert all(part in text for part in ("model-Q8_0.gguf", "0.022", "0.01", "2.0e-07"))
