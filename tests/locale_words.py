"""Words of another language inside Japanese texts: what is left when commands, options and names of files are gone."""

from __future__ import annotations

import re

_GONE = (
    r"\{[^{}]*\}",
    r"(?:\S*/)?llmlora [a-z]+(?: [\w./|=,:'\[\]{}-]+)*",
    r"--?[a-z][\w-]*(?:[ =][A-Za-z0-9_.,=/\[-]+)?",
    r"\S*/\S*",
    r"[\w-]+\.(?:jsonl?|csv|tsv|txt|gguf|safetensors|model|jinja|md|bin|yaml|py)\b",
)
# Names of products, formats and their parts, units, and words that users type or find in their files.
NAMES = set(
    """A API AVX AVX2 AdamW Apple B BF16 BPE C CPU CSV COLUMN Ctrl-C Ctrl-D DIR DPO DoRA Excel F16 F32 F64 FIELD
    OpenAI LLMLORA_MODEL_ROOTS LLMLORA_WARM_MEMORY_PERCENT model model_path raw job base stop top_p logprobs
    top_logprobs
    FILE Face ForCausalLM GB GGUF GPT-2 GPU Gemma Git HTML Hub Hugging ID ISO-2022-JP JSON JSONL Jinja KB
    KL KEY VALUE LFS LLMLORA_HOME LLMLORA_LANG LMHeadModel Llama LoRA M MB MODEL Metal Modelfile N NFC NUL NaN None
    OMP_NUM_THREADS OS OUT Ollama PEFT PNG PowerShell PyTorch Python Q2_K Q4_K_M Q8_0 QLoRA Qwen README ROUGE-L
    Q4_K Q5_K Q6_K
    cache hf models pandas to_json orient records lines force_ascii
    RoPE SHARE SentencePiece TSV True False U UTF-8 UTF-16 Ubuntu Unigram WSL2 Web Windows YAML adapter
    all-linear alpha arguments assistant auto base_model bfloat16 byte_fallback cd chat chat_template check
    chmod chosen chrF codec columns completion content convert cosine_with_restarts cp cp932 create csv data dumps
    encoding
    ensure_ascii eos_token euc_jp eval_data eval_loss export false float16 float32 format full git gguf
    instruction install is_decoder iso2022_jp ja en json jsonl k kill label layers lfs llama cpp llmlora lm_head
    embed_tokens long lora make max_length message messages name nano null ollama output parameters paraphrases
    pickle pip preview print prompt pull q q_proj qlora r rX rank reasoning_content reference rejected rm role
    rope rsLoRA runs safe_serialization safetensors save_pretrained seed source sqrt staged system t n temperature text
    tie_word_embeddings tool tools torch train transformers true tsv txt u uD800 uninstall user utf-8 utf-16
    weight wsl ASCII Authorization BASE_MODEL base_digest Bearer Content-Type Cookie DATABASE_URL Host Idempotency-Key
    LLMLORA_TOKEN Last-Event-ID Origin PostgreSQL Prometheus SQLite Sec-Fetch-Site THIS_FOLDER license localhost
    problems resync serve token xllamacpp y e x d jp u0000 CUDA dataset question reword rewording row epochs all R
    UUID ok MLX OLLAMA_MODELS USER list plain sudo usermod dataset_id dataset_ids settings
    Compose Docker Enter Q Shift Temperature Top env example manual md
    svd cat linear ties dare dare_linear dare_ties density map memory_saver replace replay replay_share
    HF_TOKEN HF_HUB_DOWNLOAD_TIMEOUT HF_HUB_OFFLINE NAME OLLAMA_HOST pg_dump run serve support v1
    NVIDIA bitsandbytes NormalFloat q4_k nf4 cpu LLMLORA_DEVICE""".split()
)


def bare_words(text: str) -> set[str]:
    """Return the words of Latin letters in a text that belong to no command, option, path or placeholder."""
    for pattern in _GONE:
        text = re.sub(pattern, " ", text)
    return {word.rstrip("'") for word in re.findall(r"(?<![A-Za-z_0-9])[A-Za-z][A-Za-z_'0-9-]*", text)}
