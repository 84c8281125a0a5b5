"""Call every command in every wrong way, in one process, and print what the screen showed: LANGUAGE FOLDER."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import typer

from llmlora.cli import main as command_line
from llmlora.cli import output
from llmlora.core.errors import Stopped
from llmlora.services import supervisor
from unprivileged import unprivileged

SETTINGS = ("None", "x", "-1", "1.5", "[]", "{}", "true", "nan", "[[1]]", "[{a: 1}]", "1e400", "[1, x]", "''")
DATA = {
    "bad.jsonl": b'{"instruction": "q"}\n',
    "empty.csv": b"",
    "blank.jsonl": b"\n \n",
    "binary.jsonl": bytes(range(256)) * 8,
    "photo.csv": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "broken.json": b'[{"instruction": "q", "output": "a"},\n {"instruction"',
    "page.csv": b"<!doctype html><html></html>",
    "header.csv": b"foo,bar\nx,y\n",
    "cp932.csv": "質問,回答\n営業時間は？,十時です\n".encode("cp932"),
    "long.jsonl": b'{"instruction": "' + b"q" * 4000 + b'", "output": "a"}\n',
    "good.jsonl": '{"instruction": "店はどこ？", "output": "駅前です。"}\n'.encode(),
}
RECIPES = {
    "yaml.yaml": b"base_model: a: b\n",
    "twice.yaml": b"base_model: nano\nbase_model: nano\n",
    "list.yaml": b"- 1\n",
    "empty.yaml": b"",
    "bell.yaml": b"base_model: \x07\n",
    "lacks.yaml": b"base_model: nano\n",
    "types.yaml": b"base_model: nano\ndata: good.jsonl\ncolumns: 3\n",
    "unknown.yaml": b"base_model: nano\ndata: good.jsonl\nfoo: 1\nrank: x\n",
    "cp932.yaml": "base_model: nano # 日本語\n".encode("cp932"),
}
JOBS = {
    "cut": b'{"schema": "llmlora.job/1"',
    "utf16": '{"schema": "llmlora.job/1"}'.encode("utf-16"),
    "lacks": b'{"schema": "llmlora.job/1", "train": {"r": "x"}}',
    "list": b"[1]",
    "export": b'{"schema": "llmlora.export/1", "job_dir": "gone"}',
    "model": b'{"model_type": "llama"}',
}
LACKING = ("train", "evaluate", "ladder", "compare", "merge", "export", "verify")  # cannot go without an argument
GROUP = ("check", "convert", "preview")


def make_files() -> None:
    """Write everything that the calls name into the current folder."""
    for name, content in {**DATA, **RECIPES}.items():
        Path(name).write_bytes(content)
    for name, content in JOBS.items():
        Path(f"job-{name}").mkdir()
        Path(f"job-{name}", "config.json").write_bytes(content)
    Path("folder.jsonl").mkdir()
    Path("circle").symlink_to("circle")
    os.mkfifo("pipe")
    for name in ("secret.jsonl", "secret.yaml"):
        Path(name).write_bytes(DATA["good.jsonl"])
        Path(name).chmod(0)
    Path("locked").mkdir(mode=0o500)


def calls() -> list[str]:
    """Return the calls, words separated by spaces."""
    return [*page_calls(), *data_calls(), *convert_calls(), *train_calls(), *job_calls()]


def commands() -> list[str]:
    """Return every command and every command of a group, as they are called."""
    found = []
    for verb in command_line.VERBS:
        command = typer.main.get_command(command_line.build_app(verb)).commands[verb]  # type: ignore[attr-defined]
        found += [verb, *(f"{verb} {name}" for name in getattr(command, "commands", ()))]
    return found


def page_calls() -> list[str]:
    """Help, and verbs and options that do not exist."""
    pages = commands()
    lone = ["--help", "", "--lang", "--lang fr", "trian", "xyzzy", "dataset chek", "dataset xyzzy", "--version"]
    lone += [*LACKING, *(f"dataset {verb}" for verb in GROUP)]
    return lone + [f"{page} {word}" for page in pages for word in ("--help", "--qqq", "a b c d")]


def data_calls() -> list[str]:
    """Files that are none, and wrong options of a check."""
    files = [*DATA, "none.jsonl", "folder.jsonl", "pipe", "circle", "/dev/null", "secret.jsonl", "a" * 300]
    bad = [name for name in files if name not in ("long.jsonl", "good.jsonl", "cp932.csv")]
    found = [f"dataset check {name}" for name in files] + [f"dataset convert {name} -o out.jsonl" for name in files]
    found += [f"dataset preview {name} --model nano" for name in bad]
    found += [f"train --model nano --data {name}" for name in bad]
    more = """--format x|--encoding x|--encoding cp932|--map x|--map a=|--map a=b|--map output=z|--max-length 0|
    --max-length x|--max-length 9|--drop-overlong|--model none|--model ./none|--model folder.jsonl|--model job-model|
    --model job-cut|--eval-data none|--eval-data broken.json|--eval-data binary.jsonl"""
    return found + [f"dataset check good.jsonl {word.strip()}" for word in more.split("|")]


def convert_calls() -> list[str]:
    """Places that cannot be written to, and wrong choices."""
    more = """out.txt|good.jsonl|out.jsonl --split 2|out.jsonl --split x|out.jsonl --sample 0|out.jsonl --keep x|
    out.jsonl --keep chosen|locked/out.jsonl|folder.jsonl|none.txt/x.jsonl|good.jsonl/x.jsonl|ok.jsonl|bad.jsonl|
    out.jsonl --drop-overlong|out.jsonl --model nano|out.jsonl --model nano --drop-overlong --max-length 8|
    split.jsonl --split 0.5"""
    return [f"dataset convert good.jsonl -o {word.strip()}" for word in more.split("|")]


def train_calls() -> list[str]:
    """Wrong settings, presets, folders and recipes."""
    more = """--set|--set x|--set x=1|--set r=1 --set rank=2|--set a=[|--preset x|--training-preset x|
    --training-preset large32b|--out good.jsonl|--out job-cut|--out locked/job|--resume x|--init-adapter none|
    --init-adapter job-model|--chat-template none|--chat-template ./none|--set warmup_steps=900|
    --set validation_split=0.5|--set eval_steps=3|--set stages=3|--epochs 3|--lr 1|--set max_length=99999|
    --set method=full --set use_dora=true|--set report_to=mlflow|--set dtype=x"""
    start = "train --model nano --data good.jsonl"
    found = [f"{start} {word.strip()}" for word in more.split("|")]
    fields = "r use_dora stages layers target_modules learning_rate lr_scheduler_type seed dtype".split()
    found += [f"{start} --set {field}={value}" for field in fields for value in SETTINGS if " " not in value]
    places = [*RECIPES, "none.yaml", "folder.jsonl", "secret.yaml", "pipe", "/dev/null"]
    return found + [f"train {name}" for name in places]


def job_calls() -> list[str]:
    """Folders that are no job, and wrong options of a chat."""
    verbs = (
        "train --resume {0}", "evaluate {0}", "ladder {0}", "merge {0} -o m", "export {0} -o e", "verify {0}",
        "chat {0} --prompt x", "compare {0} {0}",
    )  # fmt: skip
    jobs = [*(f"job-{name}" for name in JOBS), "none", "good.jsonl", "folder.jsonl", "secret.jsonl"]
    found = [verb.format(name) for name in [*jobs, "job-cut/config.json"] for verb in verbs]
    found += ["compare job-cut", "chat none.gguf -p x", "chat bad.gguf -p x", "chat nano --json", "models --json x"]
    wrong = ("--temperature x", "--temperature -1", "--top-p 2", "--max-new-tokens 0")
    return found + [f"chat nano -p x {word}" for word in wrong]


def no_worker(*_: object, **__: object) -> None:
    """Stand in for the start of a worker: what is to be refused is refused before."""
    raise Stopped("interrupted")


def screen(words: list[str]) -> str:
    """Return what one call shows on both streams."""
    shown = io.StringIO()
    output.console.file = output.out.file = shown  # both were made with the real streams
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        command_line.run(words)
    return shown.getvalue()


def main() -> None:
    """Print a JSON list of [call, what it showed]."""
    os.environ.update(LLMLORA_LANG=sys.argv[1], COLUMNS="200", LLMLORA_HOME=str(Path(sys.argv[2], "home")))
    os.chdir(sys.argv[2])
    make_files()
    supervisor.Worker.__init__ = no_worker  # type: ignore[method-assign, assignment]
    found = []
    for call in calls():
        is_refused = "secret" in call or "locked" in call  # all else is needed with the rights of its owner
        with unprivileged() if is_refused else contextlib.nullcontext():
            found.append([call, screen(call.split())])
    sys.stdout.write(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
