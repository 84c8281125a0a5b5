"""Small model folders for the tests of this room: three kinds of tokenizers, the templates of the field, no weights."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "東京の天気は晴れです。価格は1,234円です。カタカナも漢字もあります。",
    "Hello, world! The answer is 42. user assistant system think\n\n",
    "質問: 営業時間は何時ですか。 回答: 午前10時から午後6時までです。",
    "### User:\n### Assistant:\n[INST] [/INST] <<SYS>>",
] * 4

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Like Qwen3: only the last answer keeps its (here empty) thinking block; earlier ones lose it.
REWRITING = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# The prompt opens a thinking block that finished turns do not show: the rendering never begins with the prompt.
OPENING = CHATML.replace("<|im_start|>assistant\n{% endif %}", "<|im_start|>assistant\n<think>\n{% endif %}")
LLAMA2 = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{% set system = '<<SYS>>\n' + messages[0]['content'] + '\n<</SYS>>\n\n' %}{% set rest = messages[1:] %}"
    "{% else %}{% set system = '' %}{% set rest = messages %}{% endif %}"
    "{% for message in rest %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + (system if loop.first else '') + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\n'"
    " + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
# Ends no turn with a token; only the BOS is special.
WITHOUT_END = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
MARKED = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}<|im_start|>assistant\n"
    "{% generation %}{{ message['content'] }}<|im_end|>{% endgeneration %}\n"
    "{% else %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _byte_level(add_bos: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "<start_of_turn>", "<end_of_turn>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens(["<think>", "</think>"])
    if add_bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
        )
    return tokenizer


def _sentencepiece(byte_fallback: bool, normalized_specials: bool = False) -> Tokenizer:
    """A BPE as Llama 2 has it: a space becomes ▁, one is put in front, unknown characters become bytes or <unk>."""
    characters = sorted({character for text in CORPUS for character in text if not character.isspace()})
    tokens = ["<unk>", "<s>", "</s>"]
    if byte_fallback:
        tokens += [f"<0x{byte:02X}>" for byte in range(256)]
    tokens += ["▁", "\n", *characters, "▁a", "he", "▁he", "▁I", "▁[", "です", "IN", "ST"]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    merges = [("▁", "a"), ("h", "e"), ("▁", "he"), ("▁", "I"), ("▁", "["), ("で", "す"), ("I", "N"), ("S", "T")]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=byte_fallback))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(
        [AddedToken(name, normalized=normalized_specials, special=True) for name in ("<unk>", "<s>", "</s>")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    return tokenizer


def _dropping() -> Tokenizer:
    """A BPE that knows ASCII letters only and silently loses every other character."""
    tokenizer = Tokenizer(models.BPE({chr(code): code - 32 for code in range(32, 127)} | {"</s>": 95}, []))
    tokenizer.add_special_tokens([AddedToken("</s>", normalized=False, special=True)])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(" "), "isolated")
    return tokenizer


BUILDERS: dict[str, Any] = {
    "byte_level": (lambda: _byte_level(False), {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}),
    "gpt2": (
        lambda: _byte_level(False),
        {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"},
    ),
    "byte_level_bos": (lambda: _byte_level(True), {"eos_token": "<|endoftext|>", "bos_token": "<s>"}),
    "llama2": (
        lambda: _sentencepiece(True),
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    ),
    "llama2_normalized": (
        lambda: _sentencepiece(True, True),
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    ),
    "no_bytes": (
        lambda: _sentencepiece(False),
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
    ),
    "dropping": (_dropping, {"eos_token": "</s>"}),
}


@cache
def _document(kind: str) -> str:
    return str(BUILDERS[kind][0]().to_str(pretty=True))


def tokenizer_folder(folder: Path, kind: str, template: str | None = None, **settings: Any) -> Path:
    """Write the tokenizer files of a kind, with a chat template if one is given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(_document(kind), encoding="utf-8")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 2048, **BUILDERS[kind][1], **settings}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    if template is not None:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder
