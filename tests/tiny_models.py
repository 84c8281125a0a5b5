"""Tiny random models of every architecture, as complete Hugging Face folders, for the tests of all rooms.

`tiny_model("llama", folder)` writes config, weights, tokenizer, chat template and generation settings; the same request
is built once per process and copied afterwards. Weights are large enough that predictions are not flat, norms and
biases are random too, so that a lost or reordered tensor changes the answers.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_SPLIT = QWEN2_SPLIT.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)

CORPUS = [
    "東京の天気は晴れです。価格は1,234円で、営業時間は午前10時から午後6時までです。",
    "質問: 会議はいつですか。 回答: 会議は3月14日の火曜日、15時30分からです。",
    "カタカナとひらがなと漢字を、ひとつの文に書きます。データの学習は順調です。",
    "The quick brown fox jumps over the lazy dog. It costs 42 dollars and takes 3 hours.",
    "def main(argument):\n    return [value + 1 for value in argument]  # a comment\n\nprint(main([1, 2, 3]))\n",
    "user assistant system You are a helpful assistant. あなたは親切なアシスタントです。\n",
    "Hello, world! I don't know. We've seen it; they're here. emoji 😀🎉 and ｶﾅ ＡＢＣ",
] * 3

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' "
    "+ '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
TURNS = (
    "{{ bos_token }}{% for message in messages %}{{ '<start_of_turn>' + message['role'] + '\\n' + message['content'] "
    "+ '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>assistant\\n' }}{% endif %}"
)
HEADERS = (
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] "
    "+ '<|end_header_id|>\\n\\n' + message['content'] + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
LABELLED = (
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


def _byte_level(specials: tuple[str, ...], split: str | None = None, vocab_size: int = 640) -> Tokenizer:
    """A byte-level BPE: GPT-2's own pattern, or a `Split` pattern in front as Qwen and Llama 3 have it."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=split == LLAMA3_SPLIT))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    if split is None:
        tokenizer.pre_tokenizer = byte_level
    else:
        steps = [pre_tokenizers.Split(Regex(split), "isolated", invert=False), byte_level]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(specials),
        initial_alphabet=alphabet,
        max_token_length=9,
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _sentencepiece(specials: tuple[str, ...], has_prefix: bool) -> Tokenizer:
    """A BPE with byte fallback: Llama 2's shape with `has_prefix` (a space in front of every text), else Gemma's."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always" if has_prefix else "never")
    trained.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=420, special_tokens=["<unk>"], max_token_length=4, show_progress=False)
    )
    state = json.loads(trained.to_str())["model"]
    learned = sorted(state["vocab"], key=state["vocab"].get)
    tokens = dict.fromkeys([*specials, *(f"<0x{byte:02X}>" for byte in range(256)), *learned])
    vocabulary = {token: index for index, token in enumerate(tokens)}
    merges = [tuple(merge) for merge in state["merges"]]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    replace = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace]) if has_prefix else replace
    ends: list[Any] = [decoders.Strip(" ", 1, 0)] if has_prefix else []
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *ends])
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in specials])
    return _with_bos(tokenizer, "<s>" if "<s>" in vocabulary else "<bos>")


def _unigram(specials: tuple[str, ...]) -> Tokenizer:
    """A Unigram model as rinna's and T5's: a space in front, no byte pieces, so an emoji is unknown."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=list(specials), unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator([text.replace("😀🎉", "") for text in CORPUS], trainer)
    return tokenizer


def _with_bos(tokenizer: Tokenizer, bos: str) -> Tokenizer:
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.token_to_id(bos))]
    )
    return tokenizer


_CHATML_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_LLAMA3_SPECIALS = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
_GEMMA_SPECIALS = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")

# kind -> (builder, named tokens, chat template)
TOKENIZERS: dict[str, tuple[Callable[[], Tokenizer], dict[str, str], str]] = {
    "byte_level": (
        lambda: _byte_level(_CHATML_SPECIALS),
        {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        CHATML,
    ),
    "gpt2": (
        lambda: _byte_level(("<|endoftext|>",)),
        {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"},
        LABELLED,
    ),
    "qwen2": (
        lambda: _byte_level(_CHATML_SPECIALS, QWEN2_SPLIT),
        {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        CHATML,
    ),
    "llama3": (
        lambda: _with_bos(_byte_level(_LLAMA3_SPECIALS, LLAMA3_SPLIT), "<|begin_of_text|>"),
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
        HEADERS,
    ),
    "sentencepiece": (
        lambda: _sentencepiece(("<unk>", "<s>", "</s>"), has_prefix=True),
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
        "{{ bos_token }}" + LABELLED,
    ),
    "gemma": (
        lambda: _sentencepiece(_GEMMA_SPECIALS, has_prefix=False),
        {"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"},
        TURNS,
    ),
    "unigram": (
        lambda: _unigram(("<unk>", "<s>", "</s>")),
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
        LABELLED,
    ),
}

_SIZES = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": False,
}
_GEMMA = {**_SIZES, "head_dim": 64, "tie_word_embeddings": True}

# architecture -> (config class, causal model class, default tokenizer, config)
ARCHITECTURES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", "LlamaForCausalLM", "byte_level", {**_SIZES, "tie_word_embeddings": True}),
    "mistral": ("MistralConfig", "MistralForCausalLM", "sentencepiece", {**_SIZES, "sliding_window": None}),
    "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", "qwen2", {**_SIZES, "tie_word_embeddings": True}),
    "qwen3": ("Qwen3Config", "Qwen3ForCausalLM", "qwen2", {**_SIZES, "head_dim": 32}),
    "gemma": ("GemmaConfig", "GemmaForCausalLM", "gemma", _GEMMA),
    "gemma2": (
        "Gemma2Config",
        "Gemma2ForCausalLM",
        "gemma",
        {
            **_GEMMA,
            "query_pre_attn_scalar": 64,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention"],
        },
    ),
    "gemma3": (
        "Gemma3TextConfig",
        "Gemma3ForCausalLM",
        "gemma",
        {
            **_GEMMA,
            "num_hidden_layers": 3,
            "query_pre_attn_scalar": 64,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        },
    ),
    "phi3": (
        "Phi3Config",
        "Phi3ForCausalLM",
        "sentencepiece",
        {**_SIZES, "original_max_position_embeddings": 512, "sliding_window": None},
    ),
    "gpt2": (
        "GPT2Config",
        "GPT2LMHeadModel",
        "gpt2",
        {"n_embd": 256, "n_layer": 2, "n_head": 4, "n_positions": 512, "tie_word_embeddings": True},
    ),
    "gpt_neox": (
        "GPTNeoXConfig",
        "GPTNeoXForCausalLM",
        "unigram",
        {
            "hidden_size": 256,
            "intermediate_size": 512,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": 512,
            "rotary_pct": 0.5,
            "tie_word_embeddings": False,
        },
    ),
}

LLAMA31_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


@cache
def tokenizer_document(kind: str) -> str:
    """Return the text of a kind's `tokenizer.json`."""
    return str(TOKENIZERS[kind][0]().to_str(pretty=True))


def tiny_tokenizer(kind: str, folder: Path, **settings: Any) -> Path:
    """Write a kind's tokenizer files; `settings` go to `tokenizer_config.json`, `chat_template=None` leaves it out."""
    folder.mkdir(parents=True, exist_ok=True)
    _, names, template = TOKENIZERS[kind]
    template = settings.pop("chat_template", template)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **names, **settings}
    config["clean_up_tokenization_spaces"] = False
    (folder / "tokenizer.json").write_text(tokenizer_document(kind), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    if template is not None:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


def tiny_model(architecture: str, folder: Path, **config: Any) -> Path:
    """Write a complete model folder and return it.

    `config` overrides fields of `config.json`. Apart from those: `tokenizer` names the kind of tokenizer, `seed` the
    weights, `dtype` ("float32" by default) the stored type, `spread` scales the weights. A `vocab_size` larger than the
    tokenizer's pads the embedding.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    shutil.copytree(_built(architecture, json.dumps(config, sort_keys=True)), folder, dirs_exist_ok=True)
    return folder


@cache
def _cache_dir() -> str:
    folder = tempfile.mkdtemp(prefix="llmlora-tiny-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _built(architecture: str, request: str) -> Path:
    import torch
    import transformers

    options = json.loads(request)
    config_class, model_class, kind, defaults = ARCHITECTURES[architecture]
    kind, seed = options.pop("tokenizer", kind), options.pop("seed", 0)
    dtype, spread = options.pop("dtype", "float32"), options.pop("spread", 1.0)
    folder = Path(tempfile.mkdtemp(dir=_cache_dir()))
    tiny_tokenizer(kind, folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokens = _token_ids(kind, tokenizer)
    settings = {"vocab_size": tokenizer.get_vocab_size(), **tokens, **defaults, **options}
    config = getattr(transformers, config_class)(**settings)
    torch.manual_seed(seed)
    model = getattr(transformers, model_class)(config)
    _randomize(model, spread, architecture.startswith("gemma"))
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(tokens), encoding="utf-8")
    return folder


def _token_ids(kind: str, tokenizer: Tokenizer) -> dict[str, int | None]:
    names = TOKENIZERS[kind][1]
    pairs = {f"{name}_id": tokenizer.token_to_id(text) for name, text in names.items() if name != "unk_token"}
    return {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None, **pairs}


def _randomize(model: Any, spread: float, is_gemma: bool) -> None:
    """Draw all weights anew; Gemma's scaled and tied embedding would else only ever predict the token it has read."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 1:
                weight.add_(torch.randn_like(weight) * 0.1 * spread)
                weight.add_(3.0 if is_gemma and name == "model.norm.weight" else 0.0)
                continue
            is_embedding = any(part in name for part in ("embed", "wte", "wpe", "lm_head"))
            scale = (0.03 if is_gemma else 0.15) if is_embedding else 1.2 * weight.shape[-1] ** -0.5
            weight.copy_(torch.randn_like(weight) * scale * spread)
