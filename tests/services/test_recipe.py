"""What a run is repeated or continued from: recipes, a job's config.json, adapters; every mistake in them is named."""

import json
import shutil

import pytest

from cli.command_line import write_data
from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError, Conflict, InputError, ModelFileError, NotFound
from llmlora.core.job import DataSource, JobConfig, write_job
from llmlora.core.publish import sha256_file, write_json
from llmlora.core.recommend import Facts, resolve_config
from llmlora.services.recipe import Recipe, adapter_dir, adapter_values, base_of_job
from services.train_requests import Q_PROJ, WIDTH, write_halves
from tiny_models import tiny_model

ADAPTER = {"peft_type": "LORA", "r": 4, "lora_alpha": 12, "target_modules": ["v_proj", "q_proj"], "use_dora": False}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_model("llama", tmp_path_factory.mktemp("base") / "base")


@pytest.fixture
def job(base, tmp_path):
    """A job folder's config.json, with a template file and held-out rows."""
    data = write_data(tmp_path)
    held_out = shutil.copy(data, tmp_path / "held.jsonl")
    template = tmp_path / "mine.jinja"
    template.write_text("{{ messages }}")
    config = JobConfig(
        schema="llmlora.job/1",
        id="TEST",
        base_model="../somewhere/relative",
        base_dir=str(base),
        base_digest=resolve_base_model(str(base)).digest,
        data=DataSource(path=str(data), sha256=sha256_file(data), columns={"output": "答え"}, encoding="cp932"),
        eval_data=DataSource(path=str(held_out), sha256=sha256_file(held_out)),
        train=TrainConfig(r=3, learning_rate=1e-3, target_modules=("q_proj",), chat_template=str(template)),
        inputs={str(template): sha256_file(template)},
        llmlora_version="-",
    )
    (tmp_path / "job").mkdir()
    write_job(tmp_path / "job", config)
    return config


def written(folder, text, name="recipe.yaml"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


GOOD = "base_model: nano\ndata: d.jsonl\n"


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("[1, 2]", "recipe_unreadable", "list"),
        ("a: [", "recipe_unreadable", "line 1"),
        ("", "recipe_unreadable", "NoneType"),
        ("just a sentence", "recipe_unreadable", "str"),
        (GOOD + "r: 4\nr: 8\n", "recipe_unreadable", "'r' stands twice"),
        (GOOD + "stages:\n- {epochs: 1, epochs: 2}\n", "recipe_unreadable", "'epochs' stands twice"),
        ("base_model: nano", "recipe_incomplete", "data"),
        ("base_model: 7\ndata: [a]\n", "recipe_incomplete", "base_model, data"),
        (GOOD + "eval_data: [a]\ncolumns: x\nencoding: 3\n", "recipe_incomplete", "eval_data, encoding, columns"),
        (GOOD + "when: 2026-99-99\n", "recipe_unreadable", "month"),
        (GOOD + "a: !!python/object/apply:os.system [ls]\n", "recipe_unreadable", "python/object"),
    ],
)
def test_a_broken_recipe_is_named(tmp_path, text, code, named):
    with pytest.raises(ConfigError) as caught:
        Recipe.read(written(tmp_path, text))
    assert caught.value.code == code
    assert named in json.dumps(caught.value.params)


def test_columns_that_are_joined_go_from_a_recipe_into_the_job_and_back(tmp_path):
    text = GOOD + "columns:\n  instruction: 指示+問題文\n"
    assert Recipe.read(written(tmp_path, text)).read_options.columns == {"instruction": "指示+問題文"}
    source = DataSource(path="/a.csv", sha256="0", columns={"instruction": "指示+問題文"})
    assert DataSource.model_validate_json(source.model_dump_json()) == source
    with pytest.raises(ConfigError) as caught:
        Recipe.read(written(tmp_path, GOOD + "columns:\n  instruction: [指示, 問題文]\n"))
    assert caught.value.code == "column_not_text"


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "recipe.yaml").write_bytes("data: 日本語".encode("cp932"))
    with pytest.raises(ConfigError) as caught:
        Recipe.read(tmp_path / "recipe.yaml")
    assert caught.value.code == "text_not_utf8"
    assert "iconv -f CP932" in caught.value.params["command"]


def test_a_missing_recipe_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(NotFound):
        Recipe.read(tmp_path / "none.yaml")
    with pytest.raises(ConfigError) as caught:
        Recipe.read(tmp_path)
    assert caught.value.code == "recipe_is_folder"


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "recipe.yaml").write_text(GOOD, encoding="utf-8-sig")
    assert Recipe.read(tmp_path / "recipe.yaml").base_model == "nano"


def test_paths_are_relative_to_the_recipe(tmp_path):
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "adapter").mkdir()
    text = (
        "base_model: models/mine\ndata: rows/d.jsonl\neval_data: e.jsonl\n"
        "init_adapter: adapter\nchat_template: chatml\nr: 4\n"
    )
    recipe = Recipe.read(written(tmp_path, text))
    assert recipe.base_model == str(tmp_path / "models" / "mine")
    assert (recipe.data, recipe.eval_data) == (tmp_path / "rows" / "d.jsonl", tmp_path / "e.jsonl")
    assert recipe.settings == {"init_adapter": str(tmp_path / "adapter"), "chat_template": "chatml", "r": 4}


def test_a_bundled_template_is_meant_also_where_a_file_beside_the_recipe_is_called_so(tmp_path):
    for name in ("raw", "own"):
        (tmp_path / name).write_text("{{ messages }}", encoding="utf-8")
    for name, found in (("raw", "raw"), ("own", str(tmp_path / "own"))):
        assert Recipe.read(written(tmp_path, f"{GOOD}chat_template: {name}\n")).settings["chat_template"] == found


def test_reading_options_stand_in_the_recipe(tmp_path):
    recipe = Recipe.read(written(tmp_path, GOOD + "format: instruction\ncolumns: {output: 答え}\nencoding: cp932\n"))
    assert recipe.read_options.format == "instruction"
    assert recipe.read_options.columns == {"output": "答え"}
    assert recipe.settings == {}
    with pytest.raises(ConfigError):
        Recipe.read(written(tmp_path, GOOD + "format: poem\n"))


def test_a_jobs_config_is_a_recipe(job, tmp_path, base):
    recipe = Recipe.read(tmp_path / "job" / "config.json")
    assert recipe.base_model == str(base)
    assert (str(recipe.data), str(recipe.eval_data)) == (job.data.path, job.eval_data.path)
    assert (recipe.read_options.encoding, recipe.read_options.columns) == ("cp932", {"output": "答え"})
    assert TrainConfig.model_validate(recipe.settings) == job.train


@pytest.mark.parametrize("file", ["data", "held out", "template"])
@pytest.mark.parametrize("change", ["gone", "different"])
def test_a_job_is_repeated_only_with_the_same_files(job, tmp_path, file, change):
    path = {"data": "data.jsonl", "held out": "held.jsonl", "template": "mine.jinja"}[file]
    (tmp_path / path).unlink() if change == "gone" else (tmp_path / path).write_text("other")
    with pytest.raises(NotFound if change == "gone" else Conflict) as caught:
        Recipe.read(tmp_path / "job" / "config.json")
    assert caught.value.params["path"] == str(tmp_path / path)


def test_a_changed_base_is_refused(job, tmp_path):
    write_job(tmp_path / "job", job.model_copy(update={"base_digest": "0" * 64}))
    with pytest.raises(Conflict) as caught:
        Recipe.read(tmp_path / "job" / "config.json")
    assert caught.value.code == "base_changed"


def test_a_bundled_base_is_found_by_name_wherever_it_is_installed(job):
    moved = job.model_copy(update={"base_model": "nano", "base_dir": "/an/older/installation/nano"})
    assert base_of_job(moved).path.is_dir()
    assert base_of_job(job).name == job.base_dir


@pytest.mark.parametrize("damage", ["unknown key", "bad value", "missing key"])
def test_a_damaged_job_file_is_named(job, tmp_path, damage):
    path = tmp_path / "job" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    if damage == "unknown key":
        config["train"]["surprise"] = 1
    elif damage == "bad value":
        config["train"]["r"] = -1
    else:
        del config["data"]
    write_json(path, config)
    with pytest.raises(InputError) as caught:
        Recipe.read(path)
    assert caught.value.code == "damaged_job"
    word = {"unknown key": "surprise", "bad value": "train.r", "missing key": "data"}[damage]
    assert word in caught.value.params["detail"]


def adapter_at(folder, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "adapter_config.json", {**ADAPTER, **changes})
    write_halves(folder, Q_PROJ, (4, WIDTH))
    return folder


def test_an_adapter_is_meant_by_its_folder_or_its_jobs(tmp_path):
    adapter_at(tmp_path / "job" / "adapter")
    assert adapter_dir(tmp_path / "job") == adapter_dir(tmp_path / "job" / "adapter") == tmp_path / "job" / "adapter"
    with pytest.raises(NotFound) as caught:
        adapter_dir(tmp_path)
    assert caught.value.params["path"] == str(tmp_path)


def test_an_adapter_fixes_its_own_shape(tmp_path, base):
    values = adapter_values(adapter_at(tmp_path / "a", use_rslora=True), resolve_base_model(str(base)))
    assert values == {
        "r": 4, "lora_alpha": 12.0, "target_modules": ("q_proj", "v_proj"), "use_rslora": True, "use_dora": False,
        "modules_to_save": (),
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{"peft_type": "IA3"}, {"r": "many"}, {"target_modules": None}, {"peft_type": None}, {"lora_alpha": []}]
)
def test_what_is_no_lora_adapter_is_refused(tmp_path, base, changes):
    adapter = adapter_at(tmp_path / "a", **changes)
    if changes.get("target_modules", 0) is None:
        config = json.loads((adapter / "adapter_config.json").read_text())
        del config["target_modules"]
        write_json(adapter / "adapter_config.json", config)
    with pytest.raises(ModelFileError) as caught:
        adapter_values(adapter, resolve_base_model(str(base)))
    assert caught.value.code == "adapter_does_not_fit"


@pytest.mark.parametrize(("name", "shape"), [(Q_PROJ, (4, 8)), (Q_PROJ.replace("layers.0", "layers.9"), (4, WIDTH))])
def test_an_adapter_for_layers_that_the_model_lacks_is_refused(tmp_path, base, name, shape):
    adapter, model = adapter_at(tmp_path / "a"), resolve_base_model(str(base))
    assert adapter_values(adapter, model)["r"] == 4
    write_halves(adapter, "base_model.model.lm_head", (4, WIDTH))  # the embeddings' numbers, stored once
    assert adapter_values(adapter, model)["r"] == 4
    write_halves(adapter, name, shape)
    with pytest.raises(ModelFileError) as caught:
        adapter_values(adapter, model)
    assert caught.value.code == "adapter_does_not_fit"
    assert name in caught.value.params["detail"]


def test_an_adapter_that_names_another_base_is_refused(tmp_path, base):
    """Same shapes, other weights: nothing else would notice."""
    adapter, model = adapter_at(tmp_path / "a"), resolve_base_model(str(base))
    write_json(adapter / "MANIFEST.json", {"base_digest": model.digest, "files": {}})
    assert adapter_values(adapter, model)["r"] == 4
    write_json(adapter / "MANIFEST.json", {"base_digest": "0" * 64, "files": {}})
    with pytest.raises(ModelFileError) as caught:
        adapter_values(adapter, model)
    assert caught.value.code == "adapter_other_base"
    (adapter / "MANIFEST.json").write_text("[]")  # somebody else's file of that name decides nothing
    assert adapter_values(adapter, model)["r"] == 4


def test_numbers_with_exponents_are_numbers_in_a_recipe(tmp_path):
    """YAML 1.1 reads an exponent without a point as text."""
    settings = "learning_rate: 1e-4\nlr_scheduler_type: staged\nvalidation_split: 1e-1\n"
    text = GOOD + settings + "stages:\n- {epochs: 1e0, learning_rate: 5e-5}\n"
    resolved = resolve_config(Facts(20, 6_000_000, 2048, {}), recipe=Recipe.read(written(tmp_path, text)).settings)
    assert (resolved.config.learning_rate, resolved.config.validation_split) == (1e-4, 0.1)
    assert (resolved.config.stages[0].epochs, resolved.config.stages[0].learning_rate) == (1.0, 5e-5)
