"""Ask the trained model for the reference: transformers in float32 (and PEFT), by other code than the export's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.data.asked import Asked
from llmlora.export.data_samples import data_samples
from llmlora.export.reference import MAX_STOP_TOKENS, Reference, Rendering, TaughtAnswer, TokenizedText
from llmlora.export.verify_texts import comparison_texts, conversations
from llmlora.inference.chat import ChatRequest
from llmlora.inference.trained_job import TrainedJob
from llmlora.inference.transformers_chat import TransformersChat, fits_memory, load_reference_chat

END_TOKENS, MAX_TAUGHT_TOKENS = 16, 128  # what an answer may be longer than the taught one, and at most
MAX_CONTEXT_TOKENS = 384
POSITIONS = (1.0, 0.75, 0.5, 0.25)


def build_reference(trained: TrainedJob, on_step: Callable[[], None] | None = None) -> Reference:
    """Load the trained model in float32 and record its answers; the model is freed before this returns.

    A model that does not fit into memory is computed layer by layer from its files. `on_step` is called often; what it
    raises ends the work.
    """
    step = on_step or (lambda: None)
    samples = data_samples(trained)
    is_streamed = not fits_memory(trained.weights)
    chat = load_reference_chat(trained.weights, trained.adapter_dir, trained.template, is_streamed)
    try:
        renderings = renderings_of(chat, conversations(samples.questions, trained.job.train.system))
        request = ChatRequest(renderings[0].messages, options=GenerateOptions(max_new_tokens=MAX_STOP_TOKENS))
        reply = chat.chat(request, lambda _: step())
        texts = tokenized(chat, comparison_texts(samples.texts, special_tokens_of(chat)))
        sequences = [rendering.ids for rendering in renderings]
        sequences[0] = [*sequences[0], *reply.token_ids[:32]]
        sequences.extend(text.ids_with_special for text in texts[:3])
        contexts = _contexts(chat, sequences)
        logprobs = logprobs_after(chat, contexts, step)
        of_base = None
        if trained.adapter_dir is not None and not is_streamed:  # switching off needs weights that stay
            with chat.adapter_disabled():
                of_base = logprobs_after(chat, contexts, step)
        tokenizer = chat.tokenizer
        return Reference(
            texts=texts,
            renderings=renderings,
            contexts=contexts,
            logprobs=logprobs,
            stop_messages=renderings[0].messages,
            does_stop=reply.finish_reason == "stop",
            turn_end_id=turn_end_id(chat),
            vocabulary={index: token for token, index in tokenizer.get_vocab().items()},
            bos_text=str(tokenizer.bos_token or ""),
            template_text=chat.template.text,
            is_streamed=is_streamed,
            added_tokens={index: bool(token.special) for index, token in tokenizer.added_tokens_decoder.items()},
            unknown_id=tokenizer.unk_token_id,
            end_ids=frozenset(chat.end_token_ids),
            base_logprobs=of_base,
            taught=_taught_answers(chat, samples.taught, step),
            num_samples=samples.num_rows,
            data_problem=samples.problem,
        )
    finally:
        chat.close()


def base_logprobs(
    trained: TrainedJob, contexts: Sequence[list[int]], on_step: Callable[[], None] | None = None
) -> np.ndarray | None:
    """Load the untouched base and return its log-probabilities after the contexts; None where it is not at hand."""
    base = trained.untouched_base
    if base is None:
        return None
    chat = load_reference_chat(base, None, trained.template, not fits_memory(base))
    try:
        return logprobs_after(chat, contexts, on_step or (lambda: None))
    finally:
        chat.close()


def turn_end_id(chat: TransformersChat) -> int:
    """Return the end token that the training labels put after an answer."""
    messages = [Message("user", "a"), Message("assistant", "b")]
    rows = chat.template.encode_example(messages)
    ids, is_label = rows[-1]
    labels = [token for token, learned in zip(ids, is_label, strict=True) if learned]
    ends = [token for token in labels if token in chat.end_token_ids]
    return int(ends[-1] if ends else chat.tokenizer.eos_token_id)


def _taught_answers(
    chat: TransformersChat, asked: Sequence[tuple[int, Asked]], on_step: Callable[[], None]
) -> tuple[TaughtAnswer, ...]:
    """Ask the trained model what it was taught; questions that do not fit into its context are left out."""
    found = []
    for row, question in asked:
        on_step()
        request = ChatRequest(question.messages)
        prompt = chat.prompt_ids(request)
        wanted = len(chat.tokenize(question.answer)) + END_TOKENS
        limit = min(wanted, MAX_TAUGHT_TOKENS, chat.context_length - len(prompt))
        if limit < 1:
            continue
        answer = _spoken_as_taught(chat, question, prompt, limit)
        if answer is None:
            options = GenerateOptions(max_new_tokens=limit)
            answer = chat.chat(replace(request, options=options), lambda _: on_step()).text
        found.append(TaughtAnswer(row, question.messages, question.answer, answer, len(prompt), limit))
    return tuple(found)


def _spoken_as_taught(chat: TransformersChat, question: Asked, prompt: list[int], limit: int) -> str | None:
    """Return the greedy answer where it is the taught one to the token, seen in one pass; else None."""
    ids = chat.template.encode_example([*question.messages, Message("assistant", question.answer)])[-1][0]
    draft = ids[len(prompt) :]
    end = next((place for place, token in enumerate(draft) if token in chat.end_token_ids), None)
    if ids[: len(prompt)] != prompt or end is None or end >= limit:
        return None
    places = torch.arange(len(prompt) - 1, len(prompt) + end)
    with torch.inference_mode(), chat.fitting_threads():
        fed = torch.tensor([ids[: len(prompt) + end]], device=chat.model.device)
        spoken = chat.model(input_ids=fed, use_cache=False, logits_to_keep=places).logits[0].argmax(-1).tolist()
    return chat.decode(draft[:end]) if spoken == draft[: end + 1] else None


def renderings_of(chat: TransformersChat, shapes: Sequence[list[Message]]) -> list[Rendering]:
    """Return conversations as the model reads them; those that its context has no room for are left out."""
    found = []
    for messages in shapes:
        turns = tuple(messages)
        ids = chat.prompt_ids(ChatRequest(turns))
        if len(ids) < chat.context_length:
            found.append(Rendering(turns, chat.render(turns), ids))
    return found


def tokenized(chat: TransformersChat, texts: Sequence[str]) -> list[TokenizedText]:
    """Return texts with their token ids."""
    return [TokenizedText(text, chat.tokenize(text), chat.tokenize(text, add_special=True)) for text in texts]


def special_tokens_of(chat: TransformersChat) -> list[str]:
    """Return the special tokens of a model's tokenizer."""
    return [str(token) for token in chat.tokenizer.added_tokens_decoder.values() if token.special]


def _contexts(chat: TransformersChat, sequences: Sequence[list[int]]) -> list[list[int]]:
    """Return the beginnings of sequences after which next tokens are compared."""
    limit = min(MAX_CONTEXT_TOKENS, chat.context_length - 1)
    contexts: list[list[int]] = []
    for ids in sequences:
        shortened = ids[:limit]
        ends = sorted({max(1, round(len(shortened) * share)) for share in POSITIONS}) if shortened else []
        contexts.extend(shortened[:end] for end in ends)
    return contexts


def logprobs_after(chat: TransformersChat, contexts: Sequence[list[int]], on_step: Callable[[], None]) -> np.ndarray:
    """Return the next-token log-probabilities after each context; one that begins the next is read along with it."""
    rows: list[np.ndarray] = []
    group: list[int] = []
    for ids, following in zip(contexts, [*contexts[1:], []], strict=True):
        group.append(len(ids) - 1)
        if following[: len(ids)] == ids:
            continue
        on_step()
        with torch.inference_mode(), chat.fitting_threads():
            kept = {"use_cache": False, "logits_to_keep": torch.tensor(group)}
            logits = chat.model(input_ids=torch.tensor([ids], device=chat.model.device), **kept).logits[0]
            rows.append(torch.log_softmax(chat.checked(logits).float(), dim=-1).cpu().numpy())
        group = []
    return np.concatenate(rows)
