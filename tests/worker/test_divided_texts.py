"""Examples that make several training rows, or none: steps are said as they are done, and no token counts twice."""

import json
import math
from collections import Counter

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from llmlora.core.errors import ConfigError
from llmlora.core.events import EventWriter, read_events
from llmlora.core.job import write_job
from llmlora.core.publish import read_json
from llmlora.data.read import ReadOptions
from llmlora.engine.evaluate_loss import dataset_loss
from llmlora.engine.loss import LossPath
from llmlora.prepare.dataset import IGNORED, PrepareOptions, prepare_file
from llmlora.prepare.held_out import split_by_content
from llmlora.prepare.template import load_template
from llmlora.services import preview
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import TrainRequest
from llmlora.weights.base import open_folder
from llmlora.worker import prepare
from llmlora.worker import train as work
from llmlora.worker.frame import StopFlag

LENGTH = 32
CHEAP = {"num_train_epochs": 1, "dtype": "float32", "target_modules": ["q_proj"], "max_length": LENGTH, "r": 1}
TEXTS = [{"text": f"第{number}節 東京の棚には本が{number}冊あります。" * (1 + 2 * (number % 3))} for number in range(7)]
PAIRS = [{"instruction": f"棚{number}は？", "output": "本です。" * (1 + 40 * (number % 2))} for number in range(8)]
COPIES = [{"instruction": f"棚{number // 3}は？", "output": "本です。"} for number in range(9)]
TURNS = [{"role": "user", "content": "棚は？"}, {"role": "assistant", "content": "本です。"}]
GREETED = [{"role": "assistant", "content": "いらっしゃいませ。"}, *TURNS]
TWICE = [{"role": "system", "content": "店員です。"}, TURNS[1], {"role": "assistant", "content": "雑誌も。"}]
# As templates do that drop the reasoning of earlier answers: what was said before is shown in another way.
REWRITING = """{%- for m in messages -%}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' and not loop.last %}…{% else %}{{ m.content }}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
CASES = {
    "texts": (TEXTS, {}),
    "one text": ([{"text": TEXTS[1]["text"] * 3}], {"warmup_steps": 2}),
    "texts held out": (TEXTS, {"validation_split": 0.4}),
    "overlong": (PAIRS, {"drop_overlong": True, "max_length": 64}),
    "copies held out": (COPIES, {"validation_split": 0.3, "max_length": 128}),
    "answers in three turns": ([{"messages": GREETED}, {"messages": TURNS}, {"messages": TWICE}], {"max_length": 128}),
    "conversations": ([{"messages": TURNS * (1 + number)} for number in range(4)], {"max_length": 128}),
}


@pytest.fixture
def counted(monkeypatch, tmp_path_factory):
    """Count in this process what a worker of its own counts; the list holds what was counted."""
    found = []

    def run_here(kind, folder, on_event):
        run = tmp_path_factory.mktemp("run")
        events = EventWriter(run, 1)
        found.append(prepare.run(folder, read_json(folder / "config.json"), events, StopFlag()))
        events.close()
        return found[-1]

    monkeypatch.setattr(preview, "run_worker", run_here)
    return found


def written(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def planned(place, data, **settings):
    return plan_training(TrainRequest(str(place / "base"), data, settings={**CHEAP, **settings}))


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("case", CASES)
def test_the_steps_that_are_said_are_done(place, tmp_path, counted, case):
    rows, settings = CASES[case]
    if case == "answers in three turns":
        template = tmp_path / "rewriting.jinja"
        template.write_text(REWRITING, encoding="utf-8")
        settings = {**settings, "chat_template": str(template)}
    plan = planned(place, written(tmp_path / "data.jsonl", rows), per_device_train_batch_size=2, **settings)
    folder = tmp_path / "job"
    (folder / "runs" / "1").mkdir(parents=True)
    write_job(folder, plan.job)
    events = EventWriter(folder / "runs" / "1", 1)
    result = work.run(folder, plan.job.to_json(), events, StopFlag())
    events.close()
    prepared = next(event["params"] for event in read_events(events.path) if event.get("name") == "prepared")
    assert plan.plan_dict()["num_steps"] == result["num_steps"] > 1
    assert plan.job.num_rows == prepared["rows"] == counted[0]["num_rows"]
    if case not in ("copies held out", "conversations"):
        assert prepared["rows"] != len(rows)


@pytest.mark.usefixtures("home")
def test_what_makes_one_row_each_is_not_counted_by_a_worker(place, tmp_path, counted):
    short = [{"text": "棚。"}, {"text": "本。"}]
    for rows, settings in (
        (short, {}),
        (PAIRS, {}),
        (PAIRS, {"validation_split": 0.3}),
        ([{"messages": [{"role": "system", "content": "店員です。"}, *TURNS]}], {"max_length": 128}),
        ([{"messages": [*TURNS[:1], {**TURNS[1], "train": False}, *TURNS]}], {"max_length": 128}),
        (TEXTS, {"split_long_text": False}),
    ):
        assert planned(place, written(tmp_path / "data.jsonl", rows), **settings).job.num_rows == len(rows)
    assert counted == []


@pytest.mark.usefixtures("home")
def test_one_text_cannot_be_divided_into_rows_held_out(place, tmp_path, counted):
    data = written(tmp_path / "data.jsonl", [{"text": TEXTS[1]["text"] * 3}])
    with pytest.raises(ConfigError):
        planned(place, data, validation_split=0.5)
    with pytest.raises(ConfigError) as caught:
        planned(place, data, eval_steps=2)
    assert [problem["code"] for problem in caught.value.params["problems"]] == ["no_eval_rows_one"]


@pytest.mark.usefixtures("home")
def test_held_out_texts_count_each_token_once_packed_or_not(place, tmp_path):
    data, base = written(tmp_path / "data.jsonl", TEXTS), place / "base"
    prepared = prepare_file(data, ReadOptions(), open_folder(base), PrepareOptions(LENGTH))
    numbers = prepared.rows.tolist()
    assert max(Counter(numbers).values()) > 2
    train, held_out = split_by_content(data, ReadOptions(), numbers, 0.4, seed=0)
    assert sorted([*train, *held_out]) == list(range(len(prepared)))
    assert not {numbers[index] for index in train} & {numbers[index] for index in held_out}, "no text is on both sides"

    encoder = load_template(base).encoder
    rows = work.Subset(prepared, held_out)
    for number in {numbers[index] for index in held_out}:
        blocks = [prepared.row(index)[0].tolist() for index in held_out if numbers[index] == number]
        head = int(encoder.adds_bos)
        ids = [token for block in blocks for token in block[head:]]
        assert ids == [*encoder.encode_raw(TEXTS[number - 1]["text"]), encoder.eos_id]

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    total, count = 0.0, 0
    for index in range(len(rows)):
        ids, labels = (torch.from_numpy(np.array(values, np.int64)) for values in rows.row(index))
        with torch.no_grad():
            logits = model(ids[None]).logits[0, :-1].double()
        total += float(torch.nn.functional.cross_entropy(logits, labels[1:], ignore_index=IGNORED, reduction="sum"))
        count += int((labels[1:] != IGNORED).sum())
    for packing in (True, False):
        report = dataset_loss(model, rows, LossPath(packing=packing))
        assert report.num_tokens == count == sum(len(rows.row(index)[0]) - 1 for index in range(len(rows)))
        assert math.isclose(report.loss, total / count, rel_tol=1e-5)  # float32 against float64
