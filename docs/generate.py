"""Write the pages that come from the code, the charts and the slides of the talk: `python docs/generate.py`; `--check` finds stale ones.

One process per language, because the words of the command line are fixed when its modules are loaded.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import inspect
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

import llmlora
from llmlora.api.app import create_app
from llmlora.api.openapi import handler_name
from llmlora.cli import main as cli
from llmlora.core import errors
from llmlora.core.config import ALIASES, TrainConfig
from llmlora.core.errors import LlmloraError
from llmlora.core.locale import LANGUAGES, catalogue, set_language, translate
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.core.server import ServerSettings
from llmlora.services.tutorials import Lesson, lesson_document, lessons

DOCS = Path(__file__).resolve().parent
SOURCE = DOCS.parent / "src" / "llmlora"
RESULTS = DOCS.parent / "benchmarks" / "results"
# What every preset teaches, by the name of its introduction: three sets of 20 rows, and 50 rows worded with others in mind.
PRESET_RESULTS = {"measured_intro": "2026-11-30-presets.json", "held_out_intro": "2026-12-01-townsfolk.json"}

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "generated": "Generated from the code by `make docs`; do not edit.",
        "cli": "Command line",
        "cli_intro": "What each command prints for `--help`. Exit codes: [exit-codes.md](exit-codes.md). JSON documents: [json.md](json.md).",
        "config": "Settings",
        "config_intro": "Every setting of a training run. Give it as `--set NAME=VALUE`, or as a line of a recipe. "
        "Values that nobody gave are recommended ones where the last column says so, else the default.",
        "setting": "setting",
        "type": "values",
        "default": "default",
        "meaning": "meaning",
        "recommended": "recommended from data and model",
        "none": "none",
        "aliases": "Short names accepted on the command line and in recipes",
        "presets": "Presets",
        "presets_intro": "A preset sets the named values and leaves the others. Later wins: recommended, the model's own values, "
        "the recipe, `--training-preset`, `--preset`, `--set`. The values are those of the courses and manuals that llmlora "
        "grew from (level 2: balanced, standard, experiments; level 3: high, efficient; the toolkit manual: manual, gpu8 to gpu24, "
        "memory_saver, large32b); only `recommended` is our own.",
        "presets_rule": "## What is recommended beside a preset\n\n"
        "The learning rate and the epochs that nobody gave follow what the settings let move, whichever preset or `--set` they come from. "
        "AdamW moves every number of an adapter's B by about the learning rate per step, so a step moves the model by rate x scale x rank x "
        "(outputs of the adapted layers); scale is `lora_alpha / r`, with rsLoRA `lora_alpha / sqrt(r)`. What an adapter lacks is that sum "
        "of the reference (rank 8, scale 2, all linear layers) over its own. The model's own rate is for the reference: an adapter that lacks gets it "
        "times the square root, at most times 4. A higher rate alone does not do it (nano, `balanced`, 150 steps: 3 of 30 facts at 0.004, 5 at 0.012; "
        "300 steps at 0.004: 30), so the steps grow with the power 3/4, at most times 4, but only as far as the adapter moves less "
        "than nano's reference (163,840): a narrow adapter of a larger model has room enough. An adapter that moves more changes nothing. Below about "
        "a seventh of the room `train` warns before the start: rank 4 on q and v of nano has a thirteenth, and learned 9 of 30 facts even in 1,050 steps.\n\n"
        "Few rows get 150 steps from a model below 50 million parameters, and 50 from a larger one, as long as no row is seen more than 30 times. From 41 rows on "
        "the small one sees each 30 times, in 375 steps at most: at 156 steps nano learned 7 of the 131 facts of 100 rows, at 286 it learned 115, at 390 all "
        "(what the recommended steps teach of 10 to 100 rows: `benchmarks/results/2026-12-01-rows.json`); "
        "large data sets get 3 epochs at least. SmolLM2-135M-Instruct, ten rows of the bundled `support_en.jsonl`, 50 steps: 21 of 21 facts as asked, 16 of 42 in other words, "
        "7 of 10 general questions answered as before. Gemma 3 270M, the same: 21 of 21, 20 of 42, and 3 general questions where it had answered 5 "
        "(`benchmarks/results/2026-11-29-real-model-steps.json`). Other sizes were not measured.\n\n"
        "The epochs are those that make the steps with the batch and accumulation of the run; `train` says the steps before it starts. A preset "
        "that fixes rate or epochs keeps them, and `train` warns where rate x steps is less than 45 % of what is recommended.\n\n"
        "`dtype float16` of memory_saver means float16 with a scaled loss on CUDA. Elsewhere the number format is the one that was measured to be fastest, "
        "and `train` says so: batch, accumulation and checkpointing stay as they are, the rounding does not.\n",
        "measured": "## What they teach",
        "measured_intro": "Facts that nano answers right after training on the 20 rows of a data set that does not resemble its pretraining text "
        "(`benchmarks/data`): as asked in the rows, and in other words. ⚠: the run says before it starts that it will not teach them. "
        "Measured by `{command}`; numbers in `benchmarks/results/{file}`.",
        "held_out_intro": "The same on 50 rows of other shops in other words, written with the townsfolk who ask in mind (`benchmarks/data/townsfolk_ja.jsonl`), "
        "by `{command}` (`benchmarks/results/{file}`):",
        "steps": "steps",
        "loss": "loss",
        "values": "values",
        "empty": "(computed from data and model)",
        "errors": "Errors",
        "errors_intro": "Every error has a stable code. With `--json` it is the field `code` of the last line on stderr.",
        "class": "class",
        "exit": "exit code",
        "python": "Python API",
        "python_intro": "The functions of `import llmlora`: the command line has nothing that they have not. Importing loads nothing heavy; "
        "work that needs PyTorch runs in a process of its own. Errors are `llmlora.core.errors.LlmloraError` with `code` and `params` "
        "([errors](errors.md)); `on_event` gets each event of the run ([job folder](job-folder.md)).",
        "api": "HTTP API",
        "api_intro": "`llmlora serve` answers on http://127.0.0.1:8000. Every request but `/healthz` carries the token: `Authorization: Bearer TOKEN`, "
        "with what the file `token` of the workspace (or `LLMLORA_TOKEN`) holds. A browser opens `http://127.0.0.1:8000/?token=TOKEN` once and gets a cookie. "
        "Requests to other host names are refused (400), and changes that a page of another origin asks for (403).\n\n"
        'Bodies and answers are JSON in UTF-8; a number that is not finite is `null` and named in `nonfinite`. Lists are `{"items": […], "next_cursor": …}`. '
        "Errors are problem documents (RFC 9457, `application/problem+json`) with `code`, `params`, `detail` and `hint` in the language of `Accept-Language`; `action` is the next step as data, where there is one "
        "([codes](errors.md)); below `/v1/` they have the shape of OpenAI's ([guide](../guide/talk.md)). The whole description is [openapi.json](openapi.json); a running server gives it as `/api/openapi.json`, and shows it at [/docs](http://127.0.0.1:8000/docs), where each route can be tried out by who is signed in.\n\n"
        "Every POST takes `Idempotency-Key` (1 to 200 printable characters, for example a UUID). The same key with the same address and body gets the first answer again, from memory, and nothing is done twice; "
        "with another one it is 409 `idempotency_key_reused`, and while the first request is still being answered 409 `idempotency_key_busy` (both 400 below `/v1/`). A request that was refused gives its key back. "
        "Streams (`/api/chat`, and `/v1/` with `stream`) and YAML (`/api/training/recipes/write`) are not kept: these routes only compute and create nothing, so the same request is computed again. "
        "The newest 10,000 keys are remembered. The port that speaks Ollama's protocol takes keys below `/v1/` only.\n\n"
        "```sh\n"
        "TOKEN=$(cat ~/.local/share/llmlora/token)   # `llmlora config path` says where it lies\n"
        'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8000/api/system-info\n'
        'curl -H "Authorization: Bearer $TOKEN" -F file=@my-data.csv -F name=shop http://127.0.0.1:8000/api/datasets/upload   # its id stands for DATASET\n'
        'curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" '
        '-d \'{"base_model": "nano", "dataset_id": "DATASET"}\' '
        "http://127.0.0.1:8000/api/training/jobs   # its id stands for JOB\n"
        'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8000/api/training/jobs/JOB/progress\n```\n',
        "path": "path",
        "method": "method",
        "models": "Models",
        "models_intro": "Every text-generation architecture of transformers, built small from its default configuration and trained for one step "
        "(`make gates` measures the table again, `make test` a dozen of its rows). A self-test before the first step does the same for your model "
        "and decides; this page says what to expect.\n\n"
        "- **packed**: rows lie end to end, nothing is padded.\n"
        "- **padded**: rows laid end to end would change the loss, so they are padded: the same result, more slowly.\n"
        "- **own head**: the logits are those of the model's own `forward`, which needs more memory for long rows.\n"
        "- **refused**: no layout leaves the loss as it is; `train` says why before it loads the model.\n"
        "- **not built**: the default configuration alone makes no text model small enough to try; the self-test decides with the real one.\n\n"
        "GGUF: `export` knows the architecture (its [conditions](gguf.md) hold besides). Others are trained, saved as adapters and merged; "
        "`train` says so before it starts.\n",
        "model_type": "model_type",
        "rows_are": "rows",
        "packed": "packed",
        "padded": "padded",
        "own_head": ", own head",
        "refused": "refused",
        "not_built": "not built",
        "reason": "reason",
        "model_looks_ahead": "sees the words it is to predict (a reader, not a writer; `is_decoder` is off)",
        "padding_changes_loss": "padding changes its loss",
        "model_not_runnable": "does not compute a row of plain text",
        "yes": "yes",
        "why": "Why",
        "hint": "What to do",
        "page_hint": "On the page and over HTTP",
    },
    "ja": {
        "generated": "`make docs` がコードから作るページです。編集しないでください。",
        "cli": "コマンドライン",
        "cli_intro": "各コマンドが `--help` で表示する内容です。終了コード: [exit-codes.ja.md](exit-codes.ja.md)。JSON: [json.ja.md](json.ja.md)。",
        "config": "設定",
        "config_intro": "学習のすべての設定です。`--set 名前=値` か、レシピの1行として指定します。"
        "指定しなかった値は、最後の列に印があればデータとモデルから計算した推奨値、なければ既定値です。",
        "setting": "設定",
        "type": "値",
        "default": "既定",
        "meaning": "意味",
        "recommended": "データとモデルから推奨値を計算",
        "none": "なし",
        "aliases": "コマンドラインとレシピで使える短い名前",
        "presets": "プリセット",
        "presets_intro": "プリセットは、名前のある値だけを決めます。後のものが優先されます: 推奨値、モデルの推奨値、"
        "レシピ、`--training-preset`、`--preset`、`--set`。値は、llmlora のもとになった講座と手引きのものです"
        "（レベル2: balanced、standard、experiment、レベル3: high、efficient、手引き: manual、gpu8〜gpu24、memory_saver、large32b）。"
        "`recommended` だけが独自の値です。",
        "presets_rule": "## プリセットとともに推奨される値\n\n"
        "指定のない学習率とエポック数は、プリセットでも `--set` でも、その設定で動かせる大きさに合わせて決まります。"
        "AdamW は、1ステップごとにアダプターの B の各値を学習率とほぼ同じだけ動かします。そのため1ステップでモデルが動く大きさは、"
        "学習率 × スケール × ランク ×（アダプターを付けた層の出力の数）です。スケールは `lora_alpha / r`、rsLoRA では `lora_alpha / sqrt(r)` です。"
        "基準（ランク 8、スケール 2、すべての線形層）の大きさが、そのアダプターの何倍かを「不足」とします。モデル自身の学習率は基準のアダプターのための値なので、"
        "不足があれば、学習率をその平方根倍（最大 4 倍）にします。学習率を上げるだけでは覚えません（nano の `balanced`、150 ステップ: 学習率 0.004 で 30 個中 3 個、"
        "0.012 で 5 個。0.004 で 300 ステップなら 30 個）。そこでステップ数も不足の 3/4 乗倍（最大 4 倍）にします。ただし、nano の基準（163,840）より動かせる大きさが小さい分だけです。"
        "大きなモデルなら、一部の層だけでも余裕があります。基準より大きく動かせるときは、値を変えません。動かせる大きさが必要な大きさの約 7 分の 1 より小さいときは、`train` が始める前に知らせます（nano の q と v だけにランク 4 のアダプターを付けると 13 分の 1 で、1,050 ステップでも 30 個中 9 個でした）。\n\n"
        "例が少ないとき、5千万パラメーター未満のモデルは 150 ステップ、それより大きいモデルは 50 ステップ学習します（同じ例を見るのは最大 30 回。例が多いときは少なくとも 3 エポック）。"
        "小さいモデルは、例が 41 件以上あるときも 1 件を 30 回ずつ見ます（最大 375 ステップ）。nano は 100 件の 131 個の事実を、156 ステップでは 7 個、286 ステップでは 115 個、390 ステップではすべて覚えました（推奨のステップ数で 10〜100 件を教えた結果: `benchmarks/results/2026-12-01-rows.json`）。"
        "SmolLM2-135M-Instruct は、付属の `support_en.jsonl` の 10 例を 50 ステップ学習して、データと同じ質問で 21 個中 21 個、別の言い方で 42 個中 16 個の事実に答え、一般的な質問には学習前と同じ 10 問中 7 問に答えました。"
        "Gemma 3 270M は同じ条件で 21 個中 21 個と 42 個中 20 個、一般的な質問は 5 問から 3 問に減りました（`benchmarks/results/2026-11-29-real-model-steps.json`）。ほかの大きさのモデルでは測っていません。\n\n"
        "エポック数は、その実行のバッチと勾配の蓄積で必要なステップ数になるように決まり、`train` は始める前にステップ数を表示します。"
        "学習率やエポック数を決めているプリセットでは、その値のまま学習します。学習率 × ステップ数が推奨の45%に満たないときは、`train` が始める前に知らせます。\n\n"
        "memory_saver の `dtype float16` は、CUDA では損失をスケーリングする float16 です。ほかの環境では、測って最も速かった数値形式で計算し、`train` がそのことを表示します。"
        "バッチ、勾配の蓄積、チェックポインティングはそのままですが、丸めは同じになりません。\n",
        "measured": "## 覚えられる事実",
        "measured_intro": "事前学習の文章と似ていないデータ（`benchmarks/data`、20 例）で学習した nano が、正しく答えた事実の数です（データと同じ質問、別の言い方の質問の順）。⚠ は、内容を覚えないことを、始める前に表示した実行です。"
        "測定: `{command}`。数値は `benchmarks/results/{file}` にあります。",
        "held_out_intro": "ほかの店と、ほかの人の言い方を想定して書いた50例（`benchmarks/data/townsfolk_ja.jsonl`）で同じことを測った結果です（`{command}`、`benchmarks/results/{file}`）。",
        "steps": "ステップ",
        "loss": "損失",
        "values": "値",
        "empty": "（データとモデルから計算）",
        "errors": "エラー",
        "errors_intro": "エラーには変わらないコードがあります。`--json` では、標準エラー出力の最後の行の `code` です。",
        "class": "クラス",
        "exit": "終了コード",
        "python": "Python API",
        "python_intro": "`import llmlora` で使える関数です。コマンドラインでできることは、すべてここからもできます。読み込みは軽く、"
        "PyTorch を使う仕事は別のプロセスで行います。エラーは `code` と `params` を持つ `llmlora.core.errors.LlmloraError` です"
        "（[エラー](errors.ja.md)）。`on_event` には実行中のイベントが渡ります（[ジョブフォルダー](job-folder.ja.md)）。説明はコードのものです（英語）。",
        "api": "HTTP API",
        "api_intro": "`llmlora serve` は http://127.0.0.1:8000 で答えます。`/healthz` のほかは、すべての要求にトークンが要ります。`Authorization: Bearer トークン` に、"
        "作業フォルダーのファイル `token`（または `LLMLORA_TOKEN`）の内容を付けてください。ブラウザーでは `http://127.0.0.1:8000/?token=トークン` を一度開くと、Cookie が渡されます。"
        "ほかのホスト名あての要求（400）と、別のページからの変更（403）は受け付けません。\n\n"
        '要求と答えは UTF-8 の JSON です。有限でない数は `null` になり、`nonfinite` にその名前が入ります。一覧は `{"items": […], "next_cursor": …}` の形です。'
        "エラーは `code`、`params`、`detail`、`hint` を持つ文書（RFC 9457、`application/problem+json`）で、言葉は `Accept-Language` の言語です。次の一手がデータで表せるときは `action` に入ります"
        "（[コード](errors.ja.md)）。`/v1/` では OpenAI と同じ形です（[手引き](../guide/talk.ja.md)）。全体の記述は [openapi.json](openapi.json) にあり、動いているサーバーは `/api/openapi.json` で返します。[/docs](http://127.0.0.1:8000/docs) では、サインインしたブラウザーで、どの要求も試せます（英語）。\n\n"
        "POST はすべて `Idempotency-Key`（表示できる文字で1〜200文字、UUID など）を受け付けます。同じキーで同じあて先に同じ内容を送り直すと、最初の答えが保存から返り、二度は実行されません。"
        "内容が違えば 409 `idempotency_key_reused`、最初の要求がまだ処理中なら 409 `idempotency_key_busy` です（`/v1/` ではどちらも 400）。断られた要求のキーは、もう一度使えます。"
        "ストリーム（`/api/chat` と、`stream` を付けた `/v1/`）と YAML（`/api/training/recipes/write`）の答えは保存しません。計算するだけで何も作らない要求なので、送り直すともう一度計算します。"
        "覚えているのは新しい10,000キーです。Ollama の通信方式で話すポートでは、`/v1/` だけがキーを受け付けます。\n\n"
        "```sh\n"
        "TOKEN=$(cat ~/.local/share/llmlora/token)   # 場所は `llmlora config path` でわかります\n"
        'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8000/api/system-info\n'
        'curl -H "Authorization: Bearer $TOKEN" -F file=@my-data.csv -F name=shop http://127.0.0.1:8000/api/datasets/upload   # 答えの id が DATASET\n'
        'curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" '
        '-d \'{"base_model": "nano", "dataset_id": "DATASET"}\' '
        "http://127.0.0.1:8000/api/training/jobs   # 答えの id が JOB\n"
        'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8000/api/training/jobs/JOB/progress\n```\n',
        "path": "パス",
        "method": "メソッド",
        "models": "モデル",
        "models_intro": "transformers のすべての文章生成アーキテクチャーを、既定の設定から小さく作り、1ステップ学習して測った表です"
        "（`make gates` が表を測り直し、`make test` がそのうち12行を確かめます）。学習の前には、お使いのモデルそのもので同じことを調べて決めます。"
        "この表は目安です。\n\n"
        "- **連結**: データをつなげて計算し、余白は入れません。\n"
        "- **余白**: つなげると損失が変わるため、余白で長さをそろえます。結果は同じで、時間は長くかかります。\n"
        "- **独自の出力**: 確率の計算をモデル自身に任せます。長いデータではメモリーが多めに必要です。\n"
        "- **不可**: どう並べても損失が変わります。`train` はモデルを読み込む前に理由を表示します。\n"
        "- **未作成**: 既定の設定だけでは試せる大きさの文章モデルになりません。実際のモデルで調べて決めます。\n\n"
        "GGUF: `export` がそのアーキテクチャーに対応しています（ほかの条件は [gguf.ja.md](gguf.ja.md)）。対応していないモデルも学習でき、"
        "アダプターの保存と結合ができます。`train` は始める前にそのことを知らせます。\n",
        "model_type": "model_type",
        "rows_are": "並べ方",
        "packed": "連結",
        "padded": "余白",
        "own_head": "、独自の出力",
        "refused": "不可",
        "not_built": "未作成",
        "reason": "理由",
        "model_looks_ahead": "予測すべき単語が見えてしまう（文章を書かないモデル。`is_decoder` がオフ）",
        "padding_changes_loss": "余白を加えると損失が変わる",
        "model_not_runnable": "普通の文章を計算できない",
        "yes": "可",
        "why": "理由",
        "hint": "次にすること",
        "page_hint": "画面と HTTP API では",
    },
}


def cli_page(words: dict[str, str]) -> str:
    """Return the help of every command as the terminal shows it."""
    parts = [heading(words, "cli"), block("llmlora --help", help_of())]
    for verb in cli.VERBS:
        command = typer.main.get_command(cli.build_app(verb)).commands[verb]  # type: ignore[attr-defined]
        nested = getattr(command, "commands", None)
        paths = [(verb, name) for name in nested] if nested else [(verb,)]
        parts += [block(f"llmlora {' '.join(path)}", help_of(*path)) for path in paths]
    return "\n".join(parts)


def block(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text.rstrip()}\n```\n"


def help_of(*words: str) -> str:
    """Return the help text of a command."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        code = cli.run([*words, "--help"])
    if code != 0:
        raise SystemExit(f"llmlora {' '.join(words)} --help ended with {code}")
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines())


def config_page(words: dict[str, str]) -> str:
    """Return one row per field of TrainConfig, and the short names."""
    header = f"| {words['setting']} | {words['type']} | {words['default']} | {words['meaning']} |"
    rows = [header, "|---|---|---|---|"]
    for name, field in TrainConfig.model_fields.items():
        meaning = translate(f"config.{name}")
        if f"recommend.{name}" in catalogue("en"):
            meaning += f" *{words['recommended']}*"
        rows.append(f"| `{name}` | {values_of(field)} | {default_of(field.default, words)} | {meaning} |")
    short = [f"`{alias}` = `{name}`" for alias, name in ALIASES.items()]
    return "\n".join([heading(words, "config"), *rows, "", f"{words['aliases']}: {', '.join(short)}", ""])


def values_of(field: Any) -> str:
    """Return type and limits of a field, for people."""
    names = {"int": "int", "float": "number", "str": "text", "bool": "true, false"}
    text = type_text(field.annotation, names)
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    limits = [
        f"{sign} {number(getattr(item, key))}"
        for item in field.metadata
        for key, sign in signs.items()
        if hasattr(item, key)
    ]
    return f"{text}, {', '.join(limits)}" if limits else text


def number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def type_text(annotation: Any, names: dict[str, str]) -> str:
    """Return a type as a few words."""
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return f"list of {type_text(get_args(annotation)[0], names)}"
    if get_args(annotation):
        return " or ".join(type_text(part, names) for part in get_args(annotation) if part is not type(None))
    return names.get(annotation.__name__, "`{learning_rate, epochs}`")


def default_of(value: Any, words: dict[str, str]) -> str:
    if value is None or value == ():
        return words["none"]
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def presets_page(words: dict[str, str]) -> str:
    """Return the values of every preset."""
    parts = [heading(words, "presets")]
    for option, presets in (("--preset", LORA_PRESETS), ("--training-preset", TRAINING_PRESETS)):
        parts += [f"## `{option}`", "", f"| {option} | {words['values']} |", "|---|---|"]
        parts += [f"| `{name}` | {preset_text(values) or words['empty']} |" for name, values in presets.items()]
        parts.append("")
    return "\n".join([*parts, words["presets_rule"], *measured_presets(words)])


def measured_presets(words: dict[str, str]) -> list[str]:
    """Return the tables of facts by preset and data set, from the committed results."""
    tables = (preset_table(words, intro, file) for intro, file in PRESET_RESULTS.items())
    return [words["measured"], "", *(line for table in tables for line in table)]


def preset_table(words: dict[str, str], intro: str, file: str) -> list[str]:
    """Return the table of one committed result below the words that introduce it."""
    document = json.loads((RESULTS / file).read_text(encoding="utf-8"))
    data_sets = sorted({run["data"] for run in document["runs"]})
    command = " ".join(document["command"]).partition(" --out")[0]
    titles = " | ".join(f"{name} | {words['steps']} | {words['loss']}" for name in data_sets)
    lines = [words[intro].format(command=command, file=file), ""]
    lines += [f"| | {titles} |", "|---|" + "---|" * 3 * len(data_sets)]
    for settings in dict.fromkeys(run["settings"] for run in document["runs"]):
        found = {run["data"]: run for run in document["runs"] if run["settings"] == settings}
        cells = " | ".join(measured_cell(found.get(name)) for name in data_sets)
        lines.append(f"| `--{settings.replace('_', '-', 1).replace('=', ' ')}` | {cells} |")
    return [*lines, ""]


def measured_cell(run: dict[str, Any] | None) -> str:
    """Return facts, steps and loss of a run as three cells."""
    if run is None:
        return "- | - | -"
    reworded = f"{run['in_other_words']}/{run['asked_in_other_words']}"
    warned = " ⚠" if run["said"]["warnings"] else ""
    return f"{run['as_asked']}/{run['facts']}, {reworded}{warned} | {run['steps']} | {run['loss']:.2f}"


def preset_text(values: dict[str, Any]) -> str:
    shown = {name: " ".join(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return ", ".join(f"{name} {str(value).lower() if value is True else value}" for name, value in shown.items())


def errors_page(words: dict[str, str]) -> str:
    """Return every error code with its class, exit code, cause and next step."""
    texts = {key: re.sub("![qb]}", "}", text) for key, text in catalogue(words["language"]).items()}
    classes = classes_of_codes()
    parts = [heading(words, "errors")]
    for code in sorted({key.split(".")[1] for key in texts if key.startswith("error.")}):
        found = classes.get(code, [])
        exits = sorted({"75 / 130" if item.__name__ == "Stopped" else str(item.exit_code) for item in found})
        origin = f"{words['class']}: {', '.join(sorted(item.__name__ for item in found))} · {words['exit']}: {', '.join(exits)}"
        parts += [f"## {code}", "", texts[f"error.{code}.what"], ""]
        parts += [
            f"- {words['why']}: {texts[f'error.{code}.why']}",
            f"- {words['hint']}: {texts[f'error.{code}.hint']}",
        ]
        page_hint = texts.get(f"error.{code}.hint.on_page")
        parts += [f"- {words['page_hint']}: {page_hint}"] if page_hint else []
        parts += [f"- {origin}" if found else "", ""]
    return "\n".join(parts).replace("\n\n\n", "\n\n")


def classes_of_codes() -> dict[str, list[type[LlmloraError]]]:
    """Return which error classes are raised with which codes, read from the source."""
    found: dict[str, list[type[LlmloraError]]] = {}
    for name, code in error_calls():
        error_class = getattr(errors, name)
        if error_class not in found.setdefault(code, []):
            found[code].append(error_class)
    return found


def error_calls() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            error_class, code = getattr(errors, node.func.id, None), node.args[0]
            is_error = isinstance(error_class, type) and issubclass(error_class, LlmloraError)
            if is_error and isinstance(code, ast.Constant):
                yield node.func.id, str(code.value)


def python_page(words: dict[str, str]) -> str:
    """Return signature and docstring of every public function."""
    parts = [heading(words, "python")]
    for name in sorted(set(llmlora.__all__) - {"__version__"}):
        function = getattr(llmlora, name)
        signature = str(inspect.signature(function, eval_str=False)).replace("'", "")
        parts += [f"## {name}", "", "```python", f"{name}{signature}", "```", "", inspect.getdoc(function) or "", ""]
    return "\n".join(parts)


def heading(words: dict[str, str], page: str) -> str:
    return f"# {words[page]}\n\n<!-- {words['generated']} -->\n\n{words[f'{page}_intro']}\n"


def models_page(words: dict[str, str]) -> str:
    """Return the measured table of architectures, which a gate writes."""
    rows = json.loads((DOCS / "reference" / "models.json").read_text(encoding="utf-8"))
    lines = [f"| {words['model_type']} | {words['rows_are']} | GGUF | {words['reason']} |", "|---|---|---|---|"]
    for model_type, row in rows.items():
        layout = words[row["layout"]] + (words["own_head"] if row.get("own_head") else "")
        reason = row.get("reason", "")
        quoted = reason.replace("`", "'")
        reason = words.get(reason, f"`{quoted}`" if quoted else "")
        lines.append(f"| `{model_type}` | {layout} | {words['yes'] if row['gguf'] else ''} | {reason} |")
    return heading(words, "models") + "\n" + "\n".join(lines)


def api_document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return create_app(ServerSettings(host="127.0.0.1").without_token()).openapi()


def api_page(words: dict[str, str]) -> str:
    """Return one row per route."""
    rows = [f"| {words['method']} | {words['path']} | {words['meaning']} |", "|---|---|---|"]
    for path, operations in sorted(api_document()["paths"].items()):
        for method, operation in operations.items():
            rows.append(
                f"| {method.upper()} | `{path}` | {translate('api.route.' + handler_name(operation['operationId']))} |"
            )
    return "\n".join([heading(words, "api"), *rows, ""])


def lesson_page(lesson: Lesson, words: dict[str, str], language: str) -> str:
    """Return a lesson of the course as a page, with what was measured filled in."""
    other = ("日本語", f"{lesson.name}.ja.md") if language == "en" else ("English", f"{lesson.name}.md")
    title, _, text = lesson_document(lesson, language).partition("\n")
    return f"{title}\n\n[{other[0]}]({other[1]})\n\n<!-- {words['generated']} -->\n{text}"


PAGES: dict[str, Callable[[dict[str, str]], str]] = {
    "api": api_page,
    "cli": cli_page,
    "config": config_page,
    "presets": presets_page,
    "errors": errors_page,
    "models": models_page,
    "python-api": python_page,
}


def write_language(language: str, check: bool) -> list[str]:
    """Write the pages of one language and return their names; with `check` only return the stale ones."""
    set_language(language)
    changed = []
    ending = "md" if language == "en" else f"{language}.md"
    texts = {
        f"reference/{name}.{ending}": page({**WORDS[language], "language": language}) for name, page in PAGES.items()
    }
    texts["reference/openapi.json"] = json.dumps(api_document(), ensure_ascii=False, indent=1)
    for lesson in lessons():
        texts[f"tutorials/{lesson.name}.{ending}"] = lesson_page(lesson, WORDS[language], language)
    for name, content in texts.items():
        path = DOCS / name
        text = content.rstrip() + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            changed.append(path.name)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return changed


def main() -> int:
    """Write or check all pages; exit 1 when `--check` finds a stale one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--language", choices=LANGUAGES)
    options = parser.parse_args()
    if options.language is None:
        drawn = [generated(name) for name in ("talk/generate.py", "charts.py")]
        return max(*drawn, *(one_language(language, sys.argv[1:]) for language in LANGUAGES))
    changed = write_language(options.language, options.check)
    for name in changed:
        sys.stdout.write(f"{'stale' if options.check else 'written'}: {name}\n")
    return 1 if options.check and changed else 0


def generated(name: str) -> int:
    """Run a generator of its own with the same arguments; returns its exit code."""
    return subprocess.run([sys.executable, str(DOCS / name), *sys.argv[1:]], check=False).returncode


def one_language(language: str, arguments: list[str]) -> int:
    environment = {**os.environ, "LLMLORA_LANG": language, "COLUMNS": "100", "NO_COLOR": "1"}
    child = [sys.executable, __file__, "--language", language, *arguments]
    return subprocess.run(child, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
