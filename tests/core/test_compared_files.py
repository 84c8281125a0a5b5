"""What of a `verify.json` stands side by side."""

from llmlora.core.compared_files import compared_files

KEPT = {"num_questions": 3, "num_known": 4, "num_kept": 2, "lost_rows": [7]}
ANSWER = {"row": 7, "question": "値段は？", "taught": "120円", "trained": "120円", "files": {"model-Q2_K.gguf": "さあ"}}


def test_size_speed_distance_and_facts_stand_side_by_side():
    logprobs = {"check": "logprobs", "ok": True, "measured": {"kl": 0.2, "top1_agreement": 0.5, "max_diff": 3.0}}
    entry = {"file": "model-Q2_K.gguf", "quantization": "Q2_K", "size_bytes": 9, "verdict": "lossy", "sha256": "x"}
    full = {**entry, "tokens_per_second": 41.5, "checks": [logprobs], "facts": KEPT}
    assert compared_files({"files": [full], "answers": [ANSWER]}) == {
        "files": [
            {
                "file": "model-Q2_K.gguf", "quantization": "Q2_K", "size_bytes": 9, "tokens_per_second": 41.5,
                "verdict": "lossy", "kl": 0.2, "top1_agreement": 0.5, "num_known": 4, "num_kept": 2,
            }
        ],
        "answers": [ANSWER],
    }  # fmt: skip


def test_what_was_not_measured_is_none():
    (file,) = compared_files({"files": [{"file": "a.gguf", "quantization": None, "checks": [], "facts": None}]})[
        "files"
    ]
    assert {name for name, value in file.items() if value is not None} == {"file"}
    assert compared_files({}) == {"files": [], "answers": []}
