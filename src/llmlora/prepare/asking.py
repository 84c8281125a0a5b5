"""How a trained model is asked: the door that evaluation, chat, exported files and their verification all go through.

Training publishes the template that this module chooses beside its weights (`chat_template.jinja`), export writes the
same text into the GGUF file and says it in the Modelfile. `ChatTemplate.prompt_ids` turns a question into what the
model saw in training; `data.asked.asked_of` says which question a training row answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmlora.gguf.tokenizer import ChatFormat
from llmlora.prepare.remarks import Remark
from llmlora.prepare.template import ChatTemplate, own_text, raw_text


def asking_template(template: ChatTemplate, facts: Mapping[str, Any]) -> ChatTemplate:
    """Return the template to ask with after training on prepared rows; `facts` are those of a PreparedDataset.

    Prompt/completion and text rows are learned without a template, so where all rows are such the model is asked with
    the user's text alone. Rows of both kinds leave the chat template; `remarks` warns of that.
    """
    if facts["num_raw"] < facts["num_examples"] or template.is_raw:
        return template
    return replace(template, text=raw_text(template.encoder), name="raw")


def chat_format(template: ChatTemplate) -> ChatFormat:
    """Return what a GGUF file has to say, so that every program asks as the model was trained."""
    return ChatFormat(template.text, template.turn_end_id)


def with_turn_end(stated: int | list[int] | None, turn_end_id: int) -> int | list[int]:
    """Return the end tokens of a `generation_config.json`, so that generation stops where answers do."""
    ends = [stated] if isinstance(stated, int) else list(stated or ())
    if turn_end_id in ends and stated is not None:
        return stated
    return [turn_end_id, *ends] if ends else turn_end_id


def asking_remarks(template: ChatTemplate, init_adapter: Path | None) -> list[Remark]:
    """Return a warning when the adapter that a run goes on from was asked in another way than the result will be."""
    earlier = own_text(init_adapter) if init_adapter is not None else None
    if earlier is None or earlier == template.text:
        return []
    return [("warning", "asked_differently", {"name": template.name})]
