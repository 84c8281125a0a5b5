"""The public functions: what the command line can ask for, they can, under the same names."""

import inspect
import json

import pytest
import yaml

import llmlora
from llmlora.cli import dataset as dataset_verbs
from llmlora.cli import evaluate as evaluate_verbs
from llmlora.cli import export as export_verbs
from llmlora.cli.chat import chat as chat_verb
from llmlora.cli.preview import preview as preview_verb
from llmlora.cli.train import train as train_verb
from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError, Conflict
from llmlora.inference.chat import GenerateOptions
from llmlora.services.dataset import ConversionChoices, LengthChoices
from llmlora.services.preview import OPTIONS
from llmlora.services.reword import RewordChoices
from tiny_models import tiny_model

# how the command line calls what Python calls otherwise; None: it is about the terminal, or a part of another one
OTHER_NAMES = {
    "file": "path", "format_name": "format", "data_format": "format", "as_json": None, "detach": None, "num_rows": "n",
    "target": "output", "quant": "quantizations", "base": "base_dir", "settings": "settings", "model": "base_model",
}  # fmt: skip
VERBS = [
    (dataset_verbs.check, llmlora.check_dataset, {"model": "model"}, tuple(LengthChoices.__annotations__)),
    (dataset_verbs.convert, llmlora.convert_dataset, {"model": "model"}, tuple(ConversionChoices.__annotations__)),
    (dataset_verbs.reword, llmlora.reword_dataset, {"model": "model"}, tuple(RewordChoices.__annotations__)),
    (preview_verb, llmlora.preview_dataset, {}, OPTIONS),
    (train_verb, llmlora.train, {}, tuple(TrainConfig.model_fields)),
    (evaluate_verbs.evaluate, llmlora.evaluate, {"model": "model"}, ()),
    (evaluate_verbs.compare, llmlora.compare, {}, ()),
    (export_verbs.merge, llmlora.merge, {}, ()),
    (export_verbs.export, llmlora.export_model, {}, ()),
    (export_verbs.verify, llmlora.verify, {"target": "output"}, ()),
    (chat_verb, llmlora.chat, {"models": "model"}, tuple(GenerateOptions.__dataclass_fields__)),
]


@pytest.mark.parametrize(("verb", "function", "names", "more"), VERBS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_command_line_has_nothing_that_python_has_not(verb, function, names, more):
    accepted = {*inspect.signature(function).parameters, *more}
    wanted = {name: {**OTHER_NAMES, **names}.get(name, name) for name in inspect.signature(verb).parameters}
    assert not {name: other for name, other in wanted.items() if other is not None and other not in accepted}


def test_every_public_name_is_there_documented_and_typed():
    assert set(llmlora.__all__) - {"__version__"} == {
        "check_dataset", "preview_dataset", "convert_dataset", "reword_dataset", "train", "evaluate", "ladder",
        "compare", "combine", "merge", "export_model", "verify", "chat", "doctor", "list_models",
    }  # fmt: skip
    assert set(dir(llmlora)) >= set(llmlora.__all__)
    for name in set(llmlora.__all__) - {"__version__"}:
        function = getattr(llmlora, name)
        assert inspect.getdoc(function)
        assert inspect.signature(function).return_annotation is not inspect.Signature.empty
    with pytest.raises(AttributeError, match="nothing"):
        _ = llmlora.nothing


@pytest.fixture
def place(tmp_path, home):
    tiny_model("llama", tmp_path / "base")
    rows = [{"frage": f"question {number}", "antwort": f"answer {number}"} for number in range(6)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path


COLUMNS = {"instruction": "frage", "output": "antwort"}


def test_columns_recipe_and_resume_work_from_python(place):
    first = llmlora.train(str(place / "base"), place / "data.jsonl", columns=COLUMNS, out=place / "one", max_steps=2)
    assert first["status"] == "succeeded"
    recipe = {"base_model": "./base", "data": "data.jsonl", "columns": COLUMNS, "max_steps": 1}
    (place / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    again = llmlora.train(recipe=place / "recipe.yaml", out=place / "two", max_steps=2)
    assert again["final_loss"] == first["final_loss"]
    assert llmlora.train(resume=place / "one")["final_loss"] == first["final_loss"]
    with pytest.raises(Conflict):
        llmlora.train(recipe=place / "one" / "config.json", out=place / "two")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "missing_argument"),
        ({"base_model": "nano"}, "missing_argument"),
        ({"recipe": "r.yaml", "base_model": "nano"}, "recipe_or_options"),
        ({"resume": "job", "out": "other"}, "resume_alone"),
        ({"resume": "job", "encoding": "cp932"}, "resume_alone"),
        ({"resume": "job", "r": 4}, "resume_alone"),
        ({"base_model": "nano", "data": "d.jsonl", "format": "alpaca"}, "unknown_format"),
    ],
)
def test_impossible_calls_are_refused_before_anything_is_read(given, code):
    with pytest.raises(ConfigError) as caught:
        llmlora.train(**given)
    assert caught.value.code == code


def test_options_of_reading_reach_check_preview_and_conversion(place):
    data, base = place / "data.jsonl", str(place / "base")
    assert llmlora.check_dataset(data)["ok"] is False
    assert llmlora.check_dataset(data, columns=COLUMNS)["num_examples"] == 6
    assert llmlora.check_dataset(data, columns=COLUMNS, format="chat")["ok"] is False
    assert llmlora.preview_dataset(data, base, 1, columns=COLUMNS)["num_rows"] == 6
    assert llmlora.convert_dataset(data, place / "out.jsonl", columns=COLUMNS)["num_written"] == 6
    with pytest.raises(ConfigError):
        llmlora.convert_dataset(data, place / "more.jsonl", encoding="klingon")
