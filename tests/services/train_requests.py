"""Requests to train the small model of a test's place, and workers that only pretend."""

import numpy as np
from safetensors.numpy import save_file

from llmlora.core.job import write_job
from llmlora.core.publish import write_json
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import TrainRequest

Q_PROJ = "base_model.model.model.layers.0.self_attn.q_proj"  # as PEFT names it in the small model
WIDTH = 256  # of that


def request(place, **changes):
    return TrainRequest(**{"base_model": str(place / "base"), "data": place / "data.jsonl", **changes})


def finish(folder):
    (folder / "adapter").mkdir()
    result = {"status": "succeeded", "final_loss": 1.0, "adapter_dir": str(folder / "adapter")}
    (folder / "runs" / "1").mkdir(parents=True)
    write_json(folder / "runs" / "1" / "result.json", result)
    return result


def fail_with(error):
    def fail(folder):
        (folder / "runs" / "1").mkdir(parents=True, exist_ok=True)
        raise error

    return fail


def made(place, tmp_path, **changes):
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(folder, plan_training(request(place, **changes)).job)
    return folder


def adapter_of(tmp_path, **values):
    folder = tmp_path / "first" / "adapter"
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 12, "target_modules": ["q_proj"], **values}
    write_json(folder / "adapter_config.json", config)
    write_halves(folder, Q_PROJ, (4, WIDTH))
    return folder


def write_halves(folder, name, shape):
    save_file({f"{name}.lora_A.weight": np.zeros(shape, np.float32)}, folder / "adapter_model.safetensors")
