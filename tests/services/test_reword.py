"""The whole way from the advice to a better model: write the file, fill it in, take it in, train on it."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import pytest

import llmlora
from cli.command_line import run
from core.test_next_run import planned_job
from llmlora.core.errors import ConfigError
from llmlora.core.job import read_job
from llmlora.core.publish import write_json
from llmlora.evaluation.advising.advice import reword_command


def after_next(screen: str) -> str:
    """Return the words behind the program's name in the last line of a screen."""
    return screen.strip().splitlines()[-1].partition(" -m llmlora ")[2]


def test_every_printed_command_leads_to_the_next(place: Path, tmp_path: Path) -> None:
    """The commands are run as they are printed, from the advice to the trained job."""
    source = tmp_path / "shop's data.csv"
    source.write_text("聞く,言う\n定休日は？,水曜日です。\n店長は？,山田です。\n", encoding="utf-8")
    read = {"columns": {"instruction": "聞く", "output": "言う"}}
    planned = planned_job(r=4, lora_dropout=0.6, general_share=0.5)
    data = planned.data.model_copy(update={"path": str(source), **read})
    job = planned.model_copy(update={"base_dir": str(place / "base"), "data": data})
    write_json(tmp_path / "first job" / "config.json", job.to_json())
    first = shlex.split(reword_command(job, tmp_path / "first job"))
    cells = tmp_path / first[first.index("-o") + 1]
    first[first.index("-o") + 1] = str(cells)
    written = run(*first)
    assert written.code == 0, written.stderr
    rows = list(csv.DictReader(cells.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 4
    rows[0]["rewording"] = "いつお休みですか"
    with cells.open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.DictWriter(stream, rows[0])
        table.writeheader()
        table.writerows(rows)
    second = shlex.split(after_next(written.stderr))
    merged = run(*second)
    assert merged.code == 0, merged.stderr
    assert "Cells left empty, skipped: 3" in merged.stdout
    third = shlex.split(after_next(merged.stderr))
    third[third.index("--out") + 1] = str(tmp_path / "job")
    trained = run(*third, "--set", "max_steps=2", "--quiet")
    assert trained.code == 0, trained.stderr
    again = read_job(tmp_path / "job")
    assert (again.num_rows, again.train.general_share) == (3, 0.5), "trained as before"
    assert (again.train.r, again.train.lora_dropout) == (8, 0), "but for what held it back"
    assert "r 4 → 8, lora_dropout 0.6 → 0" in merged.stdout
    asked = [json.loads(line)["messages"][0]["content"] for line in Path(third[4]).read_text("utf-8").splitlines()]
    assert asked == ["定休日は？", "いつお休みですか", "店長は？"]


def test_the_python_way_is_the_same(place: Path, tmp_path: Path) -> None:
    document = llmlora.reword_dataset(place / "data.jsonl", tmp_path / "cells.jsonl", per_question=3)
    assert (document["num_questions"], document["num_cells"]) == (5, 15)
    lines = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text(encoding="utf-8").splitlines()]
    filled = tmp_path / "filled.jsonl"
    filled.write_text("\n".join(json.dumps({**line, "rewording": f"{line['row']} について"}) for line in lines))
    document = llmlora.reword_dataset(
        place / "data.jsonl", tmp_path / "new.jsonl", filled=filled, model=str(place / "base")
    )
    assert (document["num_rows"], document["num_added"], document["num_repeated"]) == (10, 5, 10)
    assert document["command"] == f"train --model {place / 'base'} --data {tmp_path / 'new.jsonl'} --out new-job"
    with pytest.raises(ConfigError, match="bad_per_question"):
        llmlora.reword_dataset(place / "data.jsonl", tmp_path / "none.csv", per_question=0)


def test_held_out_rows_stay_where_they_are_read_as_the_new_data_is(place: Path, tmp_path: Path) -> None:
    """Options for reading go for both files, and the new data takes none."""
    held_out = planned_job().data.model_copy(update={"path": "/my data/held out.jsonl"})
    job = planned_job(weight_decay=0.1).model_copy(update={"eval_data": held_out})
    encoded = job.model_copy(update={"data": job.data.model_copy(update={"encoding": "cp932"})})
    cells, new = tmp_path / "cells.jsonl", tmp_path / "new.jsonl"
    llmlora.reword_dataset(place / "data.jsonl", cells, per_question=1)
    rows = [{**json.loads(line), "rewording": f"{line} ?"} for line in cells.read_text("utf-8").splitlines()]
    cells.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for number, (config, option, left_out) in enumerate([
        (job, " --eval-data '/my data/held out.jsonl'", None), (encoded, "", held_out.path),
    ]):  # fmt: skip
        folder = tmp_path / str(number)
        write_json(folder / "config.json", config.to_json())
        document = llmlora.reword_dataset(place / "data.jsonl", new, filled=cells, job=folder, overwrite=True)
        assert document["eval_data_left_out"] == left_out
        assert document["command"] == f"train --model nano --data {new}{option} --set weight_decay=0.1 --out new-job"
    document = llmlora.reword_dataset(
        place / "data.jsonl", new, filled=cells, job=folder, model="/moved base", overwrite=True
    )
    assert document["command"].startswith(f"train --model '/moved base' --data {new} --set")
