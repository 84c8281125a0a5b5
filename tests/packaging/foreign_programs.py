"""python foreign_programs.py BASE ADAPTER MERGED GGUF PROMPT: results in programs that know nothing of llmlora.

Prints as JSON how far the next-token log-probabilities of the merged folder (bare transformers) and of the GGUF
(llama.cpp) are from those of base and adapter (bare PEFT), and what each answers. Importing llmlora fails in here.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

sys.modules["llmlora"] = None  # type: ignore[assignment]
os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
import xllamacpp  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

NUM_TOKENS = 48
ANY_KEY = "-"


class Torch:
    """A model of transformers with the tokenizer beside it."""

    def __init__(self, model: Any, folder: str) -> None:
        self.model = model.eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def prompt_ids(self, prompt: str) -> list[int]:
        messages = [{"role": "user", "content": prompt}]
        return list(self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))

    def logprobs(self, ids: list[int]) -> torch.Tensor:
        with torch.inference_mode():
            return torch.log_softmax(self.model(torch.tensor([ids])).logits[0, -1].double(), -1)

    def answer(self, ids: list[int]) -> str:
        with torch.inference_mode():
            found = self.model.generate(torch.tensor([ids]), max_new_tokens=NUM_TOKENS, do_sample=False)
        return str(self.tokenizer.decode(found[0, len(ids) :], skip_special_tokens=True))


class Llama:
    """A GGUF file in llama.cpp's own server."""

    def __init__(self, path: str) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = path
        params.n_ctx = 512
        params.verbosity = 1
        params.api_keys = [ANY_KEY]
        self.server = xllamacpp.Server(params)

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {ANY_KEY}"}
        request = urllib.request.Request(self.server.listening_address + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def likeliest(self, ids: list[int], number: int) -> dict[int, float]:
        body = {"prompt": ids, "n_predict": 1, "temperature": 0, "samplers": ["temperature"], "n_probs": number}
        return {
            entry["id"]: entry["logprob"]
            for entry in self.ask("/completion", body)["completion_probabilities"][0]["top_logprobs"]
        }

    def answer(self, prompt: str) -> str:
        body = {"messages": [{"role": "user", "content": prompt}], "max_tokens": NUM_TOKENS, "temperature": 0}
        return str(self.ask("/v1/chat/completions", body)["choices"][0]["message"]["content"])


def main() -> None:
    """Compare the three."""
    base, adapter, merged, gguf, prompt = sys.argv[1:]
    loaded = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tuned = Torch(PeftModel.from_pretrained(loaded, adapter), adapter)
    alone = Torch(AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32), merged)
    llama = Llama(gguf)
    ids = tuned.prompt_ids(prompt)
    wanted = tuned.logprobs(ids)
    near = llama.likeliest(ids, 20)
    print(
        json.dumps(
            {
                "same_prompt": alone.prompt_ids(prompt) == ids,
                "merged_difference": float((alone.logprobs(ids) - wanted).abs().max()),
                "gguf_difference": max(abs(float(wanted[token]) - value) for token, value in near.items()),
                "answers": [tuned.answer(ids), alone.answer(ids), llama.answer(prompt)],
                "adapter_files": sorted(path.name for path in Path(adapter).iterdir()),
            },
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
