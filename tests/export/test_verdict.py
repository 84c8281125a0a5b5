"""The verdict on each file, and when an export or verification as a whole fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import VerificationFailed
from llmlora.core.locale import error_texts
from llmlora.export.check import failed, passed
from llmlora.export.verdict import add_verdicts, has_lost_facts, has_lost_update, raise_unless_usable

FACTS = {"num_questions": 12, "lost_rows": []}


def entry(name: str, quantization: str, kl: float | None) -> dict[str, Any]:
    checks = [] if kl is None else [passed("logprobs", {"kl": kl}).to_dict()]
    return {"file": name, "quantization": quantization, "checks": checks}


@pytest.mark.parametrize(
    ("divergences", "ok"),
    [
        ([0.0, 1e-4, 0.01, 0.3], True),
        ([0.0, 1e-4, 0.3, 0.29], True),  # neighbours may change places by chance
        ([0.0, 1e-4, 0.3, 0.1], False),
        ([1e-3, 5e-4], True),  # both so small that it is noise
        ([0.5, 0.01], False),
    ],
)
def test_a_coarser_type_may_not_be_much_closer(divergences: list[float], ok: bool):
    entries = [entry(f"model-{number}", "Q", kl) for number, kl in enumerate(divergences)]
    add_verdicts(entries)
    orders = [check for item in entries for check in item["checks"] if check["check"] == "order"]
    assert len(orders) == len(divergences)
    assert all(check["ok"] for check in orders) is ok
    if not ok:
        assert orders[-1]["cause"] == "order"
        assert orders[-1]["measured"]["finer_kl"] == max(divergences[:-1])


def test_files_that_were_not_run_have_no_order():
    entries = [entry("a", "F16", 0.1), entry("b", "Q8_0", None), entry("c", "Q4_K_M", 0.2)]
    add_verdicts(entries)
    assert [len(item["checks"]) for item in entries] == [2, 0, 2]


def checked(name: str, kept: int | None = 23, known: int = 23, share: float | None = 1.0) -> dict[str, Any]:
    """Return a file's entry: facts kept of those known (None: nothing was asked), and what survived of the training."""
    facts = {} if kept is None else {**FACTS, "num_known": known, "num_kept": kept}
    update = {"share": share, "is_lost": share is not None and share < 0.8}
    checks = [passed("update", update), passed("answers", facts)]
    return {"file": f"model-{name}.gguf", "quantization": name, "checks": [check.to_dict() for check in checks]}


@pytest.mark.parametrize(
    ("kept", "share", "verdict"),
    [
        (23, 1.0, "verified"),
        (22, 1.0, "lossy"),
        (None, 1.0, "verified"),
        (None, 0.79, "lossy"),  # nothing was taught that could be asked, and little of it is in the file
        (0, 0.04, "lossy"),
        (23, 0.5, "lossy"),
        (23, None, "verified"),
    ],
)
def test_a_file_that_lost_facts_or_the_update_is_not_verified(kept: int | None, share: float | None, verdict: str):
    entries = [checked("Q4_K_M", kept, share=share)]
    add_verdicts(entries)
    assert (entries[0]["verdict"], entries[0]["ok"]) == (verdict, verdict == "verified")
    assert has_lost_facts(entries[0]) == (kept is not None and kept < 23)
    assert has_lost_update(entries[0]) == (share is not None and share < 0.8)


def test_a_file_that_knows_no_facts_cannot_lose_any():
    entries = [checked("Q4_K_M", 0, known=0)]
    add_verdicts(entries)
    assert entries[0]["verdict"] == "verified"


def report(model_file: str, *entries: dict[str, Any]) -> dict[str, Any]:
    add_verdicts(list(entries))
    return {"files": list(entries), "modelfile": passed("modelfile", {}).to_dict(), "model_file": model_file}


def raised(found: dict[str, Any]) -> VerificationFailed:
    with pytest.raises(VerificationFailed) as caught:
        raise_unless_usable(found, Path("/o ut"), Path("/o ut/verify.json"), Path("/j ob"))
    return caught.value


def test_files_that_nothing_uses_may_have_lost_facts():
    found = report("model-F16.gguf", checked("F16"), checked("Q4_K_M", 2, share=0.04))
    raise_unless_usable(found, Path("/out"), Path("/out/verify.json"), Path("/job"))


def test_the_file_to_use_may_not():
    error = raised(report("model-Q4_K_M.gguf", checked("Q4_K_M", 2, share=0.04)))
    assert (error.code, error.exit_code) == ("facts_lost", 1)
    assert (error.params["num_kept"], error.params["num_known"]) == (2, 23)
    hint = "llmlora export '/j ob' -o '/o ut' --quant Q8_0"
    assert hint in error_texts(error)["hint"]
    error = raised(report("model-Q4_K_M.gguf", checked("Q4_K_M", None, share=0.044)))
    assert (error.code, error.params["share"]) == ("update_lost", "4%")
    assert hint in error_texts(error)["hint"]


def test_the_type_that_is_proposed_is_not_there_yet():
    entries = [checked("Q8_0", 22), checked("Q4_K_M", 2)]
    assert raised(report("model-Q8_0.gguf", *entries)).params["finer"] == "F16"


def test_the_first_failure_is_what_the_error_says():
    bad = failed("template", "template", "x != y", {}).to_dict()
    entries = [checked("F16"), checked("Q4_K_M")]
    entries[1]["checks"].append(bad)
    error = raised(report("model-F16.gguf", *entries))
    assert (error.code, error.params["file"]) == ("verification_failed", "model-Q4_K_M.gguf")
    assert (error.params["check"], error.params["cause"]) == ("template", "template")


def test_a_wrong_modelfile_is_a_failure():
    found = report("model-F16.gguf", checked("F16"))
    found["modelfile"] = failed("modelfile", "modelfile", "a != b", {}).to_dict()
    assert raised(found).params["file"] == "Modelfile"
