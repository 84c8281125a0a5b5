"""The work of a training job, in process: what it prepares, reports and publishes, and how it stops."""

import json
import shutil
from dataclasses import replace

import pytest
from safetensors.torch import load_file, save_file

from cli.command_line import DATA
from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError, Conflict, NonFiniteLoss, RunError, Stopped
from llmlora.core.events import EventWriter, read_events
from llmlora.core.job import DataSource, JobConfig, read_job, write_job
from llmlora.core.locale import error_texts
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.core.publish import read_manifest, sha256_file
from llmlora.services import train as services_train
from llmlora.services.plan_training import plan_training
from llmlora.services.train import train
from llmlora.services.train_request import TrainRequest
from llmlora.worker import frame
from llmlora.worker import train as work
from llmlora.worker.frame import StopFlag

SHORT = {"max_steps": 2, "dtype": "float32", "target_modules": ["q_proj"]}


@pytest.fixture
def run(place, tmp_path):
    """Return a function that trains in `tmp_path/<name>` and returns (result, folder, events)."""

    def train(name="job", *, base=None, data=None, eval_data=None, stop=None, **settings):
        folder = tmp_path / name
        (folder / "runs" / "1").mkdir(parents=True)
        job = JobConfig(
            schema="llmlora.job/1", id="TEST", base_model="tiny", base_dir=str(base or place / "base"),
            base_digest=resolve_base_model(str(base or place / "base")).digest,
            data=source(data or place / "data.jsonl"), eval_data=source(eval_data) if eval_data else None,
            train=TrainConfig(**{**SHORT, **settings}), llmlora_version="-",
        )  # fmt: skip
        write_job(folder, job)
        events = EventWriter(folder / "runs" / "1", 1)
        try:
            result = work.run(folder, job.to_json(), events, StopFlag() if stop is None else stop)
        finally:
            events.close()
        return result, folder, list(read_events(events.path))

    return train


def source(path):
    return DataSource(path=str(path), sha256=sha256_file(path))


def rows(path, count, offset=0):
    lines = [
        json.dumps({"instruction": f"{DATA[i % 5][0]} {i + offset}", "output": f"{DATA[i % 5][1]} {i}"})
        for i in range(count)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def phase(events, name):
    return next(event["params"] for event in events if event["type"] == "phase" and event["name"] == name)


def evaluations(events):
    return [event["step"] for event in events if event["type"] == "evaluation"]


def test_the_result_is_the_document_and_the_folder_is_whole(run):
    result, folder, events = run()
    assert result["status"] == "succeeded"
    assert result["adapter_dir"] == str(folder / "adapter")
    assert result["num_steps"] == 2
    assert (result["eval_loss"], result["perplexity"]) == (None, None)
    assert result["seconds"] >= result["training_seconds"]
    assert [event["name"] for event in events if event["type"] == "phase"] == [
        "preparing", "prepared", "loading", "loaded", "training", "saving",
    ]  # fmt: skip
    assert phase(events, "prepared")["rows"] == 5
    assert phase(events, "loaded")["trainable"] == result["parameters"]["trainable"]


def test_the_published_folder_names_job_and_base(run):
    _, folder, _ = run()
    manifest = read_manifest(folder / "adapter")
    assert (manifest["job"], len(manifest["base_digest"])) == ("TEST", 64)
    assert {"README.md", "training_args.json", "chat_template.jinja", "tokenizer.json"} <= set(manifest["files"])
    assert json.loads((folder / "adapter" / "training_args.json").read_text())["max_steps"] == 2
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["schema"].startswith("llmlora.")
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")


def test_one_prepared_row_is_shown_as_it_is_trained(run):
    _, _, events = run()
    preview = next(event["preview"] for event in events if event["type"] == "sample")
    text = json.dumps(preview, ensure_ascii=False)
    assert "trained" in text and "masked" in text


def test_prompts_can_be_learned_too(run):
    answers, _, events = run("answers")
    everything, _, all_events = run("everything", assistant_only_loss=False)
    few, many = phase(events, "prepared"), phase(all_events, "prepared")
    assert few["percent"] < 80 < many["percent"]
    assert answers["final_loss"] != everything["final_loss"]


def test_a_system_message_becomes_part_of_every_row(run):
    _, _, plain = run("plain")
    _, _, with_system = run("system", system="あなたは書店員です。")
    assert phase(with_system, "prepared")["tokens"] > phase(plain, "prepared")["tokens"]
    assert phase(with_system, "prepared")["label_tokens"] == phase(plain, "prepared")["label_tokens"]


def test_a_template_file_replaces_the_models_own(run, tmp_path):
    template = tmp_path / "mine.jinja"
    template.write_text(
        "{% for message in messages %}{{ '[' + message['role'] + ']' + message['content'] + eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}"
    )
    _, folder, _ = run(chat_template=str(template))
    assert "'['" in (folder / "adapter" / "chat_template.jinja").read_text()


def test_rows_longer_than_the_limit_are_cut_and_counted(run, tmp_path):
    data = tmp_path / "long.jsonl"
    answer = "長い答えです。" * 20
    data.write_text(
        json.dumps({"instruction": "短い質問", "output": answer}, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    _, _, events = run(data=data, max_length=24)
    prepared = phase(events, "prepared")
    assert (prepared["truncated"], prepared["tokens"]) == (1, 24)


def test_a_share_of_the_rows_is_held_out(run, tmp_path):
    result, _, events = run(data=rows(tmp_path / "ten.jsonl", 10), validation_split=0.3, max_steps=None)
    assert result["perplexity"] > 1
    assert result["eval_loss_before"] is not None
    assert evaluations(events)[0] == 0
    steps_per_epoch = phase(events, "training")["steps_per_epoch"]
    assert steps_per_epoch == 2  # 7 of 10 rows, 4 at a time


def test_held_out_rows_come_from_their_own_file(run, tmp_path, place):
    held_out = rows(tmp_path / "held.jsonl", 4, offset=100)
    result, _, events = run(eval_data=held_out, eval_steps=1)
    assert evaluations(events) == [0, 1, 2]
    assert result["eval_loss"] > 0
    assert phase(events, "prepared")["rows"] == 5


def test_full_training_publishes_a_model_folder(run):
    result, folder, _ = run(method="full", learning_rate=1e-3)
    assert result["adapter_dir"] == str(folder / "model")
    assert result["parameters"]["percent"] == 100
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        path.name for path in (folder / "model").iterdir()
    }
    assert not (folder / "adapter").exists()


def test_the_same_run_gives_the_same_bytes(run):
    """PEFT keeps its targets in a set, whose order changes from process to process."""
    _, folder, _ = run(target_modules=["v_proj", "q_proj", "up_proj", "down_proj"])
    config = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    assert config["target_modules"] == ["down_proj", "q_proj", "up_proj", "v_proj"]


@pytest.mark.parametrize("moment", ["preparing", "training"])
def test_a_stop_before_the_first_step_leaves_nothing_published(run, tmp_path, moment, monkeypatch):
    stop = StopFlag()
    if moment == "preparing":
        stop.set()
    else:
        original = work.fit
        monkeypatch.setattr(work, "fit", lambda *arguments: (stop.set(), original(*arguments))[1])
    with pytest.raises(Stopped) as caught:
        run(data=rows(tmp_path / "fresh.jsonl", 3, offset=len(moment)), stop=stop)
    assert not caught.value.has_checkpoint
    assert sorted(path.name for path in (tmp_path / "job").iterdir()) == ["config.json", "runs"]


def test_wrong_targets_are_refused_with_the_names_that_exist(run):
    with pytest.raises(ConfigError) as caught:
        run(target_modules=["q_proj", "query", "value"])
    assert caught.value.params["names"] == "query, value"
    assert "down_proj" in caught.value.params["known"]


def test_a_model_without_a_gguf_mapping_is_announced_before_training(run, monkeypatch):
    from llmlora.core.errors import UnsupportedArchitecture

    def refuse(*_):
        raise UnsupportedArchitecture("unsupported_architecture", architecture="Odd", supported="llama")

    monkeypatch.setattr(work, "foresee_gguf", refuse)
    _, _, events = run()
    first_phase = next(index for index, event in enumerate(events) if event["type"] == "phase")
    warned = next(index for index, event in enumerate(events) if event.get("code") == "not_exportable")
    assert warned < first_phase
    error = events[warned]["params"]["error"]
    assert (error["code"], error["params"]["supported"]) == ("unsupported_architecture", "llama")


def test_a_poisoned_base_never_becomes_an_adapter(run, place, tmp_path):
    base = shutil.copytree(place / "base", tmp_path / "poisoned")
    weights = load_file(base / "model.safetensors")
    name = next(name for name in weights if name.endswith("down_proj.weight"))
    weights[name].fill_(float("inf"))
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(NonFiniteLoss) as caught:
        run(base=base)
    assert "down_proj" in caught.value.params["tensor"]
    assert not (tmp_path / "job" / "adapter").exists()


def test_broken_weights_at_the_end_are_not_published(run, monkeypatch, tmp_path):
    """The last gate: an adapter with a NaN must not be marked as a success, however it came about."""
    original = work.fit

    def break_one(*arguments):
        trained = original(*arguments)
        next(weight for weight in trained.model.parameters() if weight.requires_grad).data.fill_(float("nan"))
        return trained

    monkeypatch.setattr(work, "fit", break_one)
    with pytest.raises(RunError) as caught:
        run()
    assert caught.value.code == "nonfinite_weights"
    assert not (tmp_path / "job" / "adapter").exists()


def test_a_base_in_which_no_row_has_anything_to_learn_is_refused(run, tmp_path):
    """With eight tokens the prompt alone fills every row."""
    from llmlora.core.errors import DatasetError

    data = tmp_path / "prompts.jsonl"
    question = "とても長い質問です。" * 10
    data.write_text(
        json.dumps({"instruction": question, "output": "はい"}, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    with pytest.raises(DatasetError):
        run(data=data, max_length=8)


PRESETS = [("preset", name) for name in LORA_PRESETS] + [("training_preset", name) for name in TRAINING_PRESETS]


@pytest.mark.parametrize(("kind", "name"), [pair for pair in PRESETS if pair[1] != "large32b"], ids="=".join)
def test_every_preset_trains(place, tmp_path, kind, name):
    request = TrainRequest(str(place / "base"), place / "data.jsonl", settings={"max_steps": 1}, **{kind: name})
    planned = plan_training(request)
    (tmp_path / "job" / "runs" / "1").mkdir(parents=True)
    write_job(tmp_path / "job", planned.job)
    events = EventWriter(tmp_path / "job" / "runs" / "1", 1)
    result = work.run(tmp_path / "job", {}, events, StopFlag())
    events.close()
    assert result["num_steps"] == 1
    config = json.loads((tmp_path / "job" / "adapter" / "adapter_config.json").read_text())
    assert config["r"] == planned.job.train.r
    targets = planned.job.train.target_modules
    assert targets == "all-linear" or set(config["target_modules"]) == set(targets)
    warned = [event["code"] for event in read_events(events.path) if event["type"] == "warning"]
    assert ("float16_slow" in warned) == (name == "memory_saver")


@pytest.mark.parametrize("change", ["data", "data gone", "eval data", "template", "adapter", "base", "base gone"])
def test_the_worker_itself_refuses_a_job_whose_files_changed_before_anything_is_spent(
    place, tmp_path, monkeypatch, change
):
    """Started as `python -m llmlora.worker train FOLDER`, with no service that looked before."""
    own, job_dir = shutil.copytree(place, tmp_path / "own"), tmp_path / "job"
    (own / "held.jsonl").write_bytes((own / "data.jsonl").read_bytes().replace("？".encode(), b"?"))
    (own / "chat.jinja").write_text("{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}")
    (own / "first").mkdir()
    (own / "first" / "adapter_config.json").write_text("{}")
    inputs = {str(path): sha256_file(path) for path in (own / "chat.jinja", own / "first" / "adapter_config.json")}
    job = JobConfig(
        schema="llmlora.job/1", id="TEST", base_model=str(own / "base"), base_dir=str(own / "base"),
        base_digest=resolve_base_model(str(own / "base")).digest, data=source(own / "data.jsonl"),
        eval_data=source(own / "held.jsonl"), train=TrainConfig(**SHORT), inputs=inputs, llmlora_version="-",
    )  # fmt: skip
    job_dir.mkdir()
    write_job(job_dir, job)
    weights = own / "base" / "model.safetensors"
    {
        "data": lambda: (own / "data.jsonl").write_text("other"),
        "data gone": lambda: (own / "data.jsonl").unlink(),
        "eval data": lambda: (own / "held.jsonl").write_text("other"),
        "template": lambda: (own / "chat.jinja").write_text("other"),
        "adapter": lambda: (own / "first" / "adapter_config.json").write_text("[]"),
        "base": lambda: weights.write_bytes(weights.read_bytes()[:-1] + b"\x01"),
        "base gone": lambda: shutil.rmtree(own / "base"),
    }[change]()
    monkeypatch.setattr(frame, "_log_to", lambda path: path.touch())
    monkeypatch.setattr(frame, "watch_stop_signals", StopFlag)
    assert frame.run_kind("train", job_dir) == 3
    events = list(read_events(job_dir / "runs" / "1" / "events.jsonl"))
    assert [event["type"] for event in events] == ["run_started", "run_ended"]
    codes = {"data": "data_changed", "eval data": "data_changed", "base": "base_changed"}
    codes |= {"data gone": "file_not_found", "base gone": "model_not_found"}
    assert events[-1]["error"]["code"] == codes.get(change, "input_changed")
    assert events[-1]["status"] == "failed"


def resumed(folder, stop=None):
    """Run one more attempt of a job in process."""
    number = len(list((folder / "runs").iterdir())) + 1
    (folder / "runs" / str(number)).mkdir()
    events = EventWriter(folder / "runs" / str(number), number)
    try:
        return work.run(folder, read_job(folder).to_json(), events, StopFlag() if stop is None else stop)
    finally:
        events.close()


class AfterSteps:
    """Asks to stop once a run has written its first checkpoint."""

    def __init__(self, folder):
        self.folder = folder

    def __bool__(self):
        return bool(list(self.folder.glob("runs/1/checkpoints/step-*")))


def stopped_job(run, tmp_path, **given):
    """Return the folder of a job that was stopped after its first checkpoint, far from its end."""
    folder = tmp_path / "stopped"
    with pytest.raises(Stopped):
        run("stopped", stop=AfterSteps(folder), max_steps=6, save_steps=2, lora_dropout=0.1, **given)
    assert not (folder / "adapter").exists()
    return folder


def test_a_stopped_job_whose_files_were_moved_ends_as_the_uninterrupted_one(run, place, tmp_path, monkeypatch):
    own = tmp_path / "own"
    shutil.copytree(place / "base", own / "base")
    rows(own / "data.jsonl", 7)
    rows(own / "held out.jsonl", 3, offset=50)
    files = {"base": own / "base", "data": own / "data.jsonl", "eval_data": own / "held out.jsonl"}
    whole, whole_folder, _ = run("whole", max_steps=6, save_steps=2, lora_dropout=0.1, **files)
    folder = stopped_job(run, tmp_path, **files)
    new = own.rename(tmp_path / "new place (2)")
    monkeypatch.setattr(services_train, "run_worker", lambda kind, folder, on_event: resumed(folder))
    result = train(
        resume=folder, base_model=str(new / "base"), data=new / "data.jsonl", eval_data=new / "held out.jsonl"
    )
    assert result["num_steps"] == 6
    for name in ("final_loss", "eval_loss", "num_tokens"):
        assert result[name] == whole[name], name
    ours, theirs = (load_file(path / "adapter" / "adapter_model.safetensors") for path in (folder, whole_folder))
    assert ours.keys() == theirs.keys()
    assert all(ours[name].numpy().tobytes() == theirs[name].numpy().tobytes() for name in ours)


@pytest.mark.parametrize("age", ["old", "new"])
def test_a_checkpoint_is_not_trained_further_on_other_rows(run, tmp_path, monkeypatch, age):
    data = rows(tmp_path / "data.jsonl", 7)
    folder = stopped_job(run, tmp_path, data=data)
    if age == "old":  # has recorded how many rows and tokens there were, and no more
        path = folder / "runs" / "1" / "events.jsonl"
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for event in lines:
            event.get("params", {}).pop("content", None)
        path.write_text("".join(json.dumps(event) + "\n" for event in lines), encoding="utf-8")
    prepare = work.prepare_file

    def otherwise(path, read, base, options, on_progress):
        prepared = prepare(path, read, base, options, on_progress)
        if age == "new":  # as many of everything, but other tokens
            return replace(prepared, input_ids=prepared.input_ids[::-1].copy())
        facts = {**prepared.facts, "num_label_tokens": prepared.num_label_tokens - 1}
        return replace(prepared, facts=facts)

    monkeypatch.setattr(work, "prepare_file", otherwise)
    with pytest.raises(Conflict) as caught:
        resumed(folder)
    assert caught.value.code == "rows_changed"
    assert str(folder / "config.json") in error_texts(caught.value)["hint"]
    monkeypatch.undo()
    assert resumed(folder)["num_steps"] == 6, "with the rows it began with it goes on"
