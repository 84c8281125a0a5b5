"""Combined adapters are what their weights say: exact where the method is, and near where it approximates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import AutoModelForCausalLM

from llmlora.core.job import Combination, CombineMethod, Member
from llmlora.engine.combine import combine_adapters, distance_from_sum
from llmlora.engine.train import save_adapter
from llmlora.weights.base import open_folder
from tiny_models import tiny_model

ROWS = torch.tensor([[3, 5, 7, 9, 11]])


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("combine") / "base", num_hidden_layers=1)


def adapter(base_dir: Path, folder: Path, seed: int, r: int, **settings: object) -> Path:
    """Write an adapter with random matrices; its scaling is not 1."""
    model = AutoModelForCausalLM.from_pretrained(base_dir)
    modules = settings.pop("target_modules", ["q_proj", "down_proj"])
    tuned = get_peft_model(model, LoraConfig(r=r, lora_alpha=3 * r, target_modules=modules, **settings))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    for name, weight in tuned.named_parameters():
        if "lora_" in name:
            weight.data = 0.05 * torch.randn(weight.shape, generator=generator)
    save_adapter(tuned, folder)
    return folder


def combined(base_dir: Path, folders: Sequence[Path], method: CombineMethod, weights: tuple[float, ...]) -> PeftModel:
    members = tuple(Member(job_id="x", folder=str(folder), sha256="0" * 64) for folder in folders)
    density = None if method in ("svd", "cat", "linear") else 0.5
    combination = Combination(method=method, weights=weights, density=density, members=members)
    return combine_adapters(open_folder(base_dir), folders, combination, seed=0)


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=ROWS).logits


def by_hand(base_dir: Path, folders: Sequence[Path], weights: Sequence[float]) -> torch.Tensor:
    """Return the logits of the base with the weighted sum of all updates added to its weights."""
    base = AutoModelForCausalLM.from_pretrained(base_dir)
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    total = dict.fromkeys(before, torch.tensor(0.0))
    for folder, weight in zip(folders, weights, strict=True):
        merged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_dir), folder).merge_and_unload()
        for name, value in merged.state_dict().items():
            total[name] = total[name] + weight * (value - before[name])
    base.load_state_dict({name: before[name] + total[name] for name in before})
    return logits(base.eval())


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}], ids=["scaled", "rank-stabilised"])
def test_cat_is_the_weighted_sum_for_any_ranks_and_modules(base_dir: Path, tmp_path: Path, settings: dict) -> None:
    folders = [
        adapter(base_dir, tmp_path / "a", 1, 2, **settings),
        adapter(base_dir, tmp_path / "b", 2, 3, target_modules=["q_proj", "v_proj"], **settings),
    ]
    weights = (0.7, -0.4)
    model = combined(base_dir, folders, "cat", weights)
    assert model.peft_config["default"].r == 5  # type: ignore[union-attr]
    assert distance_from_sum(model, weights) < 1e-6
    torch.testing.assert_close(logits(model.eval()), by_hand(base_dir, folders, weights), rtol=1e-4, atol=1e-4)


def test_svd_keeps_the_largest_rank_and_says_what_it_loses(base_dir: Path, tmp_path: Path) -> None:
    folders = [
        adapter(base_dir, tmp_path / name, seed, r, target_modules=["q_proj"])
        for name, seed, r in (("a", 1, 2), ("b", 2, 4))
    ]
    model = combined(base_dir, folders, "svd", (0.5, 0.5))
    assert model.peft_config["default"].r == 4  # type: ignore[union-attr]
    exact = combined(base_dir, folders, "cat", (0.5, 0.5))
    (update,) = (layer.get_delta_weight("default") for layer in exact.modules() if isinstance(layer, LoraLayer))
    lost = torch.linalg.svdvals(update.detach().double()).square()
    least = float((lost[4:].sum() / lost.sum()).sqrt())
    assert distance_from_sum(model, (0.5, 0.5)) == pytest.approx(least, rel=1e-4), "no rank 4 comes nearer"
    same = combined(base_dir, [folders[1], folders[1]], "svd", (0.25, 0.75))
    assert distance_from_sum(same, (0.25, 0.75)) < 1e-5, "one adapter fits into its own rank"
    torch.testing.assert_close(logits(same.eval()), by_hand(base_dir, [folders[1]], [1.0]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", ["linear", "ties", "dare_linear", "dare_ties"])
def test_the_other_methods_give_an_adapter_of_the_same_rank_and_the_same_one_again(
    base_dir: Path, tmp_path: Path, method: CombineMethod
) -> None:
    folders = [adapter(base_dir, tmp_path / str(seed), seed, 3) for seed in (1, 2)]
    model = combined(base_dir, folders, method, (0.5, 0.5))
    assert model.peft_config["default"].r == 3  # type: ignore[union-attr]
    assert distance_from_sum(model, (0.5, 0.5)) > 0.1, "matrices are added one by one, which is not the sum"
    save_adapter(model, tmp_path / "first")
    save_adapter(combined(base_dir, folders, method, (0.5, 0.5)), tmp_path / "second")
    names = ("adapter_model.safetensors", "adapter_config.json")
    assert all((tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes() for name in names)
    alone = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_dir), tmp_path / "first")
    torch.testing.assert_close(logits(alone.eval()), logits(model.eval()), rtol=1e-5, atol=1e-5)
