"""Where things lie on disk: every file and folder name of a workspace or a job folder, and no other file has them."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from pathlib import Path

from platformdirs import user_data_dir

CONFIG_FILE = "config.json"
META_FILE = "meta.json"
LOCK_FILE = "worker.lock"
EVENTS_FILE = "events.jsonl"
LOG_FILE = "log.txt"
ENVIRONMENT_FILE = "environment.json"
RESULT_FILE = "result.json"
REPORT_FILE = "report.json"
REPORT_PAGE = "report.html"
ANSWERS_FILE = "answers.jsonl"
VERIFY_FILE = "verify.json"
PASSPORT_FILE = "passport.json"
PASSPORT_PAGE = "passport.html"
MODELFILE = "Modelfile"
OLLAMA_FILE = "ollama.json"
ADAPTER_GGUF = "adapter.gguf"
MANIFEST_FILE = "MANIFEST.json"
DATA_STEM = "data"  # of a dataset's file; names that came with a request never reach the disk
FINDINGS_STEM = "findings"  # of the list of everything that its check has found
FINDINGS_SUFFIX = ".jsonl"
VERSION_PREFIX = "version-"  # of what is known of a dataset's earlier versions
RESERVE_FILE = "reserve.bin"
DATABASE_FILE = "llmlora.db"
BALLAST_FILE = "ballast.bin"
QUEUE_FILE = "queue.json"  # what the queue knows of a piece of work and its folder does not tell

# What a workspace has of its server
SERVER_LOCK = ".lock"
TOKEN_FILE = "token"
PASSPORT_KEY = "passport.key"
SERVER_LOG = "server.log"

# What folders of models and adapters have, by the names of transformers and PEFT
MODEL_WEIGHTS = "model.safetensors"
MODEL_INDEX = "model.safetensors.index.json"
GENERATION_FILE = "generation_config.json"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
SPECIAL_TOKENS_FILE = "special_tokens_map.json"
TEMPLATE_FILE = "chat_template.jinja"
ADDED_TOKENS_FILE = "added_tokens.json"
BPE_VOCABULARY = "vocab.json"
SENTENCEPIECE_FILES = ("tokenizer.model", "spiece.model")
VOCABULARY_FILES = (TOKENIZER_FILE, BPE_VOCABULARY, "vocab.txt", *SENTENCEPIECE_FILES)  # one is enough for a tokenizer
# All that decides how texts become ids
TOKENIZER_FILES = (*VOCABULARY_FILES, TOKENIZER_CONFIG, SPECIAL_TOKENS_FILE, ADDED_TOKENS_FILE, "merges.txt")

RUNS_DIR = "runs"
CHECKPOINTS_DIR = "checkpoints"
ADAPTER_DIR = "adapter"
MODEL_DIR = "model"
MERGED_DIR = "merged"
ROWS_DIR = "rows"  # of a job into whose data earlier rows were mixed: files named by what is in them
TEMPORARY_PREFIX = ".tmp-"
CHECKPOINT_PREFIX = "step-"
EVALUATION_PREFIX = "evaluation-"
STITCHED = "stitched"  # stands for the quantization of a file that is the base's but for what training changed
EXPORT_CLAIM = "export"  # the name under which one process at a time works in an export folder

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_LOCK = threading.Lock()
_newest_id = 0


def home_dir() -> Path:
    """Return the workspace: `LLMLORA_HOME`, else the platform's data folder."""
    override = os.environ.get("LLMLORA_HOME")
    return Path(override).expanduser() if override else Path(user_data_dir("llmlora", appauthor=False))


def jobs_dir() -> Path:
    """Return the folder of jobs started without `--out`."""
    return home_dir() / "jobs"


def work_root(home: Path, kind: str) -> Path:
    """Return the folder of a workspace in which work of a kind has its folders, one per id."""
    return home / {"evaluate": "evaluations", "export": "exports"}.get(kind, "jobs")


def datasets_dir(home: Path) -> Path:
    """Return the folder of a workspace with one folder per dataset."""
    return home / "datasets"


def version_name(stem: str, version: int, suffix: str) -> str:
    """Return the name of a file of a dataset's version: `data.jsonl`, then `data-2.jsonl` and so on."""
    return f"{stem}{suffix}" if version == 1 else f"{stem}-{version}{suffix}"


def uploads_dir(home: Path) -> Path:
    """Return the folder of a workspace with the files that have not arrived whole yet."""
    return home / "uploads"


def inbox_dir(home: Path) -> Path:
    """Return the folder of a workspace in which users put files that shall become datasets."""
    return home / "inbox"


def questions_file(home: Path) -> Path:
    """Return the file of a workspace with the questions that were gathered while chatting."""
    return home / "questions.jsonl"


def fetched_models_file(home: Path) -> Path:
    """Return the record of the models that this program has put into the Hub's cache."""
    return home / "fetched-models.json"


def tutorials_file(home: Path) -> Path:
    """Return the file of a workspace with what was read of the course, and where it is practised."""
    return home / "tutorials.json"


def prepared_dir() -> Path:
    """Return the cache of prepared datasets, one folder per content hash."""
    return home_dir() / "prepared"


def scratch_dir() -> Path:
    """Return the folder of short-lived work folders (chat, preview, probe)."""
    return home_dir() / "scratch"


def verified_file(output: Path) -> Path:
    """Return where the verification of an export folder that may not be written to is saved."""
    return home_dir() / "verified" / f"{output.name}-{hashlib.sha256(os.fsencode(output)).hexdigest()[:12]}.json"


def new_id() -> str:
    """Return a ULID: 26 characters, sortable by creation time; those of one process in the order in which they came.

    Jobs that are queued together are made within one millisecond, and must not change places.
    """
    global _newest_id
    with _ID_LOCK:
        drawn = (int(time.time() * 1000) << 80) | secrets.randbits(80)
        # By a random step, for processes that fork in that millisecond go on from the same one.
        value = _newest_id = max(drawn, _newest_id + 1 + secrets.randbits(64))
    characters = []
    for _ in range(26):
        value, digit = divmod(value, 32)
        characters.append(_CROCKFORD[digit])
    return "".join(reversed(characters))


def is_id(name: str) -> bool:
    """Tell whether a name is one that `new_id` gives."""
    return len(name) == 26 and set(name) <= set(_CROCKFORD)


def run_numbers(folder: Path) -> list[int]:
    """Return the attempts of a job folder in ascending order."""
    try:
        with os.scandir(folder / RUNS_DIR) as entries:
            return sorted(int(entry.name) for entry in entries if entry.name.isdigit() and entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def next_run(folder: Path) -> int:
    """Return the number of the attempt that comes next."""
    return (run_numbers(folder) or [0])[-1] + 1


def run_dir(folder: Path, run: int) -> Path:
    """Return the folder of attempt `run`."""
    return folder / RUNS_DIR / str(run)


def evaluation_numbers(job_dir: Path) -> list[int]:
    """Return the numbers of a job's evaluations in ascending order, of those as well that have not ended."""
    names = [path.name.removeprefix(EVALUATION_PREFIX) for path in job_dir.glob(f"{EVALUATION_PREFIX}*")]
    return sorted(int(name) for name in names if name.isdigit())


def evaluation_dir(job_dir: Path, number: int) -> Path:
    """Return the folder of an evaluation of a job."""
    return job_dir / f"{EVALUATION_PREFIX}{number}"


def newest_evaluation_dir(job_dir: Path) -> Path | None:
    """Return the folder of a job's newest evaluation that has a report, None without one."""
    folders = (evaluation_dir(job_dir, number) for number in reversed(evaluation_numbers(job_dir)))
    return next((folder for folder in folders if (folder / REPORT_FILE).is_file()), None)


def gguf_name(quantization: str) -> str:
    """Return the file name of a GGUF model in an export folder."""
    return f"model-{quantization}.gguf"


def checkpoint_dirs(folder: Path) -> list[tuple[int, int, Path]]:
    """Return (step, run, path) of every checkpoint of a job folder, oldest step first."""
    found = []
    for run in run_numbers(folder):
        for path in (run_dir(folder, run) / CHECKPOINTS_DIR).glob(f"{CHECKPOINT_PREFIX}*"):
            step = path.name.removeprefix(CHECKPOINT_PREFIX)
            if step.isdigit():
                found.append((int(step), run, path))
    return sorted(found)
