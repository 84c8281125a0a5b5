"""Planning a run: everything wrong is found before a folder exists, everything settled has its origin."""

import pytest

import llmlora
from cli.command_line import write_data
from llmlora.core.errors import ConfigError, Conflict, DatasetError, NotFound
from llmlora.services.recipe import Recipe
from llmlora.services.train import TrainRequest, plan_training, training_request
from tiny_models import tiny_model


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    tiny_model("llama", folder / "base")
    write_data(folder)
    return folder


def request(place, **changes):
    return TrainRequest(**{"base_model": str(place / "base"), "data": place / "data.jsonl", **changes})


def test_a_plan_names_model_data_and_origins(place):
    planned = plan_training(request(place, preset="balanced", settings={"learning_rate": 1e-3}))
    assert planned.job.base_dir == str(place / "base")
    assert planned.report.num_examples == 5
    assert planned.job.reasons["r"] == "preset"
    assert planned.job.reasons["learning_rate"] == "set"
    assert planned.job.reasons["num_train_epochs"] == "recommended"
    assert planned.job.train.num_train_epochs >= 10


def test_bad_rows_are_refused_with_the_first_line(place, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"instruction": "a", "output": "b"}\n{"instruction": "c"}\n', encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        plan_training(request(place, data=tmp_path / "bad.jsonl"))
    assert caught.value.params["line"] == 2
    assert caught.value.params["count"] == 1


def test_a_model_is_never_replaced(place):
    for name in ("llama2:7b", "gemma", "mistral", "microsoft/DialoGPT-medium", "ollama:llama3.2:1b"):
        with pytest.raises(NotFound):
            plan_training(request(place, base_model=name))


def test_an_occupied_folder_is_left_alone(place, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious")
    with pytest.raises(Conflict):
        llmlora.train(str(place / "base"), place / "data.jsonl", out=tmp_path / "out")
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_the_python_api_trains_and_reports(place, tmp_path):
    seen = []
    result = llmlora.train(
        str(place / "base"),
        place / "data.jsonl",
        out=tmp_path / "job",
        max_steps=2,
        dtype="float32",
        on_event=seen.append,
    )
    assert result["status"] == "succeeded"
    assert [event["step"] for event in seen if event["type"] == "step"] == [1, 2]


@pytest.mark.parametrize(
    ("text", "code"),
    [("[1, 2]", "recipe_unreadable"), ("a: [", "recipe_unreadable"), ("base_model: nano", "recipe_incomplete")],
)
def test_a_broken_recipe_is_named(tmp_path, text, code):
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        Recipe.read(tmp_path / "recipe.yaml")
    assert caught.value.code == code


def test_recipe_paths_are_relative_to_the_recipe(place, tmp_path):
    (tmp_path / "recipe.yaml").write_text("base_model: nano\ndata: rows/data.jsonl\neval_data: e.jsonl\nr: 4\n")
    described = training_request(None, None, tmp_path / "recipe.yaml")
    assert described.data == tmp_path / "rows" / "data.jsonl"
    assert described.eval_data == tmp_path / "e.jsonl"
    assert described.recipe == {"r": 4}
