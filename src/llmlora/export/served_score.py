"""What a registered model is worth: the evaluation's questions asked of it, and the other files of its export beside.

Numbers of files that are not served come from the export's own verification. What was not measured is said to be so,
with the command that measures it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llmlora.core.compared_files import compared_files
from llmlora.core.errors import LlmloraError
from llmlora.core.examples import Message
from llmlora.core.layout import REPORT_FILE, STITCHED, newest_evaluation_dir
from llmlora.core.locale import command_line, shell_word
from llmlora.core.publish import read_document
from llmlora.core.quantizations import QUANTIZATIONS
from llmlora.data.asked import Asked
from llmlora.export.stitch import SAFE_TYPE
from llmlora.export.taught_check import CarriedFacts

SIDE_BY_SIDE = ("F16", "Q8_0", "Q4_K_M", "Q2_K")
MAX_REPLY_TOKENS = 128


@dataclass(frozen=True)
class ServedQuestions:
    """What a registered model is asked: the questions of the job's newest evaluation, else rows of its training data.

    `evaluation` names that evaluation's folder; `trained` are the trained model's answers there.
    """

    source: Literal["evaluation", "training_rows"]
    asked: tuple[Asked, ...]
    num_tokens: int = MAX_REPLY_TOKENS
    evaluation: str | None = None
    trained: tuple[str, ...] = ()

    def score(self, measured: Mapping[str, Any], carried: CarriedFacts) -> dict[str, Any]:
        """Return how many facts the trained model, the file run here and the served model answer with.

        `measured` is that of the gate's questions; what a call failed to measure is None.
        """
        found = (carried(text, *_taught(asked)) for text, asked in zip(self.trained, self.asked, strict=False))
        return {
            "source": self.source,
            "evaluation": self.evaluation,
            "num_questions": len(self.asked),
            "num_facts": measured.get("num_facts"),
            "num_trained": sum(sum(facts) for facts in found) if self.trained else None,
            "num_file": measured.get("num_known"),
            "num_served": measured.get("num_served"),
            "tokens_per_second": measured.get("tokens_per_second"),
        }


def _taught(asked: Asked) -> tuple[str, str]:
    return asked.answer, "\n".join(turn.content for turn in asked.messages)


def served_questions(job_dir: Path, taught: Sequence[Asked]) -> ServedQuestions:
    """Return what to ask a model that a job trained; `taught` are questions of its training data."""
    folder = newest_evaluation_dir(job_dir)
    try:
        if folder is None:
            return ServedQuestions("training_rows", tuple(taught))
        report = read_document(folder / REPORT_FILE)
        items = report["items"]
        asked = tuple(Asked(_messages(item["messages"]), str(item["reference"])) for item in items)
        answers = tuple(str(item["tuned"]["text"]) for item in items)
        limit = int(report["settings"]["max_new_tokens"])
    except (LlmloraError, KeyError, TypeError, ValueError):  # damaged, or of a version that kept less
        return ServedQuestions("training_rows", tuple(taught))
    return ServedQuestions("evaluation", asked, limit, folder.name, answers)


def _messages(turns: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    return tuple(Message(turn["role"], turn["content"]) for turn in turns)


def files_beside(verified: Mapping[str, Any], served: str) -> list[dict[str, Any]]:
    """Return the files of an export as its verification measured them, each with whether it is the served one."""
    return [{**entry, "is_served": entry["file"] == served} for entry in compared_files(verified)["files"]]


def not_measured(
    files: Sequence[Mapping[str, Any]], meta: Mapping[str, Any], output: Path, is_stitchable: bool
) -> dict[str, Any] | None:
    """Return the types to compare with that the export lacks, and the command that makes and measures them."""
    there = {entry["quantization"] for entry in files if entry["verdict"] is not None}
    wanted = (*SIDE_BY_SIDE, *([STITCHED] if is_stitchable else []))
    missing = [name for name in wanted if name not in there]
    if not missing:
        return None
    names = [name for name in QUANTIZATIONS if name in there or name in missing]
    command = command_line("export {job!q} -o {output!q}", job=meta["job_dir"], output=output)
    if names:
        command = f"{command} --quant {','.join(names)}"
    if STITCHED in there or STITCHED in missing:
        command += _stitch_options(meta.get("stitch") or {}, is_stitchable)
    return {"quantizations": missing, "command": command}


def _stitch_options(stitch: Mapping[str, Any], is_stitchable: bool) -> str:
    """Return the options that stitch again as it was done before."""
    wanted, base = stitch.get("wanted", SAFE_TYPE), stitch.get("base")
    own_type = "" if wanted == SAFE_TYPE else f" --stitch-type {wanted}"
    own_base = "" if is_stitchable or base is None else f" --stitch-base {shell_word(base)}"
    return f" --stitch{own_type}{own_base}"
