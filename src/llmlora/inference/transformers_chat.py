"""Chat with a model in its training form: a Hugging Face folder, alone or with a PEFT adapter on it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from transformers import PreTrainedModel

from llmlora.core.config import Quantization
from llmlora.core.diverged import not_finite
from llmlora.core.errors import ModelFileError
from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.core.machine import SMALL_MODEL, available_memory_bytes, threads_for_now
from llmlora.engine.load import load_base
from llmlora.engine.precision import load_adapter
from llmlora.gguf.source import float32_bytes
from llmlora.inference.chat import (
    ChatReply,
    ChatRequest,
    FinishReason,
    Logprob,
    OnText,
    OnToken,
    logprob_of,
    room_after,
)
from llmlora.inference.sampling import next_token
from llmlora.inference.streamed_model import load_streamed
from llmlora.inference.streaming import TextStream
from llmlora.prepare.template import ChatTemplate, load_template
from llmlora.weights.base import Base

# Loading holds a little more than the model itself; computing needs room for logits and activations.
LOADING_FACTOR, WORKING_BYTES = 1.2, 256 << 20


class TransformersChat:
    """A loaded transformers model with its tokenizer and chat template; implements `ChatModel`.

    `folder` holds what was trained last: the adapter, else the model.
    """

    def __init__(self, model: PreTrainedModel | PeftModel, template: ChatTemplate, folder: Path) -> None:
        self.model = model.eval()
        self.folder = folder
        self.template = template
        self.tokenizer = template.tokenizer
        self.end_token_ids = template.encoder.end_ids | _configured_end_ids(model)
        self.context_length = _context_length(model.config)
        self._is_small = sum(weight.numel() for weight in model.parameters()) < SMALL_MODEL
        self._num_threads = 1 if self._is_small else threads_for_now()

    def chat(self, request: ChatRequest, on_text: OnText | None = None, on_token: OnToken | None = None) -> ChatReply:
        """Answer one request; raises ConfigError when the prompt is empty or fills the model's whole context."""
        options = request.options
        prompt_ids = self.prompt_ids(request)
        room = room_after(prompt_ids, self.context_length)
        stream = TextStream(options.stop, on_text)
        needs_text = bool(options.stop) or on_text is not None
        token_ids: list[int] = []
        finish_reason: FinishReason = "length"
        with self.fitting_threads():
            for token_id, logits in self._generate(prompt_ids, options, min(room, options.max_new_tokens)):
                if token_id in self.end_token_ids:
                    finish_reason = "stop"
                    break
                token_ids.append(token_id)
                if on_token is not None:
                    on_token(self._logprob(token_id, logits, request.top_logprobs))
                if needs_text and stream.update(self.decode(token_ids)):
                    finish_reason = "stop"
                    break
        if not needs_text:
            stream.update(self.decode(token_ids))
        return ChatReply(stream.finish(), finish_reason, len(token_ids), tuple(token_ids), len(prompt_ids))

    def use_threads(self, number: int) -> None:
        """Compute with that many threads from the next request on; a small model goes on with one."""
        self._num_threads = 1 if self._is_small else number

    @property
    def is_raw(self) -> bool:
        """Whether it is asked with the last user's text alone, as the template beside its weights says."""
        return self.template.is_raw

    def prompt_ids(self, request: ChatRequest) -> list[int]:
        """Return the token ids a request is answered from."""
        if request.messages is not None:
            return self.template.prompt_ids(request.messages)
        encoder = self.template.encoder
        return encoder.with_bos(encoder.encode(request.prompt or ""))

    def render(self, messages: Sequence[Message]) -> str:
        """Return the text of a conversation, ready for the assistant's turn."""
        return self.template.render(messages, add_generation_prompt=True)

    def tokenize(self, text: str, add_special: bool = False) -> list[int]:
        """Return token ids of a text; special tokens written in it are recognised."""
        return list(self.tokenizer.encode(text, add_special_tokens=add_special))

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of token ids without special tokens."""
        return str(self.tokenizer.decode(list(token_ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def next_token_logprobs(self, token_ids: Sequence[int]) -> np.ndarray:
        """Return the log-probabilities (natural log, float32) of every vocabulary entry after `token_ids`."""
        with torch.inference_mode():
            ids = torch.tensor([list(token_ids)], device=self.model.device)
            logits = self.model(input_ids=ids, use_cache=False).logits[0, -1].float()
            return np.asarray(torch.log_softmax(logits, dim=-1).cpu().numpy(), dtype=np.float32)

    @contextmanager
    def adapter_disabled(self) -> Iterator[None]:
        """Answer as the base model inside this block; without an adapter nothing changes."""
        if isinstance(self.model, PeftModel):
            with self.model.disable_adapter():
                yield
        else:
            yield

    @contextmanager
    def fitting_threads(self) -> Iterator[None]:
        """Compute with a thread for each core that was free at the start; those of a small model would only wait."""
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(self._num_threads)
            yield
        finally:
            torch.set_num_threads(before)

    def checked(self, logits: torch.Tensor) -> torch.Tensor:
        """Return logits; raises ModelFileError for broken weights, whose answers would be arbitrary."""
        if not bool(
            torch.isfinite(logits.amax())
        ):  # NaN and infinity spread to the largest; minus infinity may be meant
            raise not_finite(self.folder, "logits")
        return logits

    def close(self) -> None:
        """Free the model."""
        del self.model

    def _logprob(self, token_id: int, logits: torch.Tensor, num_top: int | None) -> Logprob | None:
        """Return what is told of a token: the model's own distribution, before temperature and penalty."""
        if num_top is None:
            return None
        values = torch.log_softmax(logits.float(), dim=-1)
        top = values.topk(min(num_top, len(values)))
        token_bytes = self.template.encoder.token_bytes
        likeliest = [
            logprob_of(token_bytes(index), value)
            for index, value in zip(top.indices.tolist(), top.values.tolist(), strict=True)
        ]
        return logprob_of(token_bytes(token_id), float(values[token_id]), likeliest)

    def _generate(
        self, prompt_ids: list[int], options: GenerateOptions, num_tokens: int
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Yield the next token with the logits that it was chosen by."""
        device = self.model.device
        generator = torch.Generator().manual_seed(options.seed)
        context = torch.tensor([prompt_ids], device=device)
        fed, cache = context, None
        for _ in range(num_tokens):
            with torch.inference_mode():
                output = self.model(input_ids=fed, past_key_values=cache, use_cache=True, logits_to_keep=1)
                logits = self.checked(output.logits[0, -1].cpu())
                token_id = next_token(logits, context[0].cpu(), options, generator)
            yield token_id, logits
            cache = output.past_key_values
            fed = torch.tensor([[token_id]], device=device)
            context = torch.cat([context, fed], dim=1)


def fits_memory(base: Base) -> bool:
    """Tell whether a model in float32 fits into what memory is free now."""
    return float32_bytes(base.source) * LOADING_FACTOR + WORKING_BYTES < available_memory_bytes()


def load_chat(
    base: Base,
    adapter_dir: Path | None = None,
    chat_template: str | None = None,
    dtype: str = "float32",
    quantization: Quantization | None = None,
) -> TransformersChat:
    """Load a base, and the adapter on it if given; tokenizer and template come from the adapter's folder.

    `dtype` is the number format that is computed in, `quantization` is how the base is held in few bits. Raises
    ModelFileError when the files do not load.
    """
    template = load_template(adapter_dir or base.tokenizer_dir, chat_template)
    return TransformersChat(load_model(base, adapter_dir, dtype, quantization), template, adapter_dir or base.path)


def load_reference_chat(
    base: Base, adapter_dir: Path | None, template: ChatTemplate, is_streamed: bool
) -> TransformersChat:
    """Load a model in float32 with a template that was read before.

    A streamed one leaves its layers on disk and reads each when its turn comes.
    """
    if not is_streamed:
        return TransformersChat(load_model(base, adapter_dir), template, adapter_dir or base.path)
    with _loading_adapter(adapter_dir):
        return TransformersChat(load_streamed(base, adapter_dir), template, adapter_dir or base.path)


def load_model(
    base: Base, adapter_dir: Path | None, dtype: str = "float32", quantization: Quantization | None = None
) -> PreTrainedModel | PeftModel:
    """Load a base's weights, and the adapter on them if given."""
    model = load_base(base, dtype, quantization=quantization)
    if adapter_dir is None:
        return model
    with _loading_adapter(adapter_dir):
        return load_adapter(model, adapter_dir).requires_grad_(False).eval()


@contextmanager
def _loading_adapter(adapter_dir: Path | None) -> Iterator[None]:
    """Turn what PEFT raises for an adapter that does not fit into ModelFileError; leave out its advice."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        detail = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise ModelFileError("adapter_load_failed", path=str(adapter_dir), detail=detail) from error


def _configured_end_ids(model: PreTrainedModel | PeftModel) -> set[int]:
    found: set[int] = set()
    for settings in (model.config, getattr(model, "generation_config", None)):
        value = getattr(settings, "eos_token_id", None)
        found.update([value] if isinstance(value, int) else value or [])
    return found


def _context_length(config: Any) -> int:
    for name in ("max_position_embeddings", "n_positions"):
        if isinstance(value := getattr(config, name, None), int):
            return value
    return 1 << 20
