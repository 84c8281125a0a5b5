"""Pre-training on one CPU: `python -m pretrain.train [--resume]`.

The plan (`work/plan.json`: total steps, decay steps, every how manieth step is a drill) is read again while the run goes on, so that the learning
rate can be brought down early when time is up. The plan that was used is written into every checkpoint.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from pretrain.model import fresh_model
from pretrain.optimizer import Muon
from pretrain.rows import LENGTHS, STEP_TOKENS, drill, step_order

WORK = Path(__file__).parent / "work"
WARM_UP = 40
FINAL_SHARE = 0.02  # of the peak learning rate, at the last step
LOG_EVERY = 20
EVALUATE_EVERY = 200
SAVE_SECONDS = 180.0


def rate_share(step: int, total: int, decay: int) -> float:
    """Return the share of the peak learning rate: warm-up, constant, straight line down."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    left = (total - step) / decay
    return max(FINAL_SHARE, min(1.0, left))


def loss_of(forward: Any, batch: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
    """Return the mean cross-entropy of the next tokens; batch is [rows, length + 1], labels [rows, length] or all."""
    logits = forward(input_ids=batch[:, :-1], use_cache=False).logits
    wanted = batch[:, 1:] if labels is None else labels
    return functional.cross_entropy(logits.flatten(0, 1).float(), wanted.flatten())


def _mean(losses: list[float]) -> float | None:
    return round(sum(losses) / len(losses), 4) if losses else None


class Run:
    """Everything that a checkpoint holds, and the loop over steps."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        torch.manual_seed(arguments.seed)
        torch.set_num_threads(arguments.threads)
        torch.set_flush_denormal(True)
        self.work = Path(arguments.work)
        self.rows = {length: np.load(self.work / f"rows-{length}.npy", mmap_mode="r") for length in LENGTHS}
        self.held_out = np.load(self.work / "held-out" / "rows-512.npy")[:32]
        self.order = step_order({length: len(rows) for length, rows in self.rows.items()}, arguments.seed)
        self.model = fresh_model()
        self.optimizers = self._optimizers(arguments.learning_rate)
        self.peaks = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers]
        self.forward: Any = torch.compile(self.model, dynamic=False) if arguments.compile else self.model
        self.step = 0
        self.seconds = 0.0
        if arguments.resume:
            self.load()

    def _optimizers(self, rate: float) -> list[torch.optim.Optimizer]:
        matrices = [p for name, p in self.model.named_parameters() if p.ndim == 2 and "layers" in name]
        others = [p for name, p in self.model.named_parameters() if not (p.ndim == 2 and "layers" in name)]
        return [Muon(matrices, lr=rate), torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.95), weight_decay=0.0)]

    def plan(self) -> tuple[int, int, int]:
        """Return total steps, decay steps and the distance of drills (0: none) as the plan file says now."""
        found = json.loads((self.work / "plan.json").read_text(encoding="utf-8"))
        return int(found["total_steps"]), int(found["decay_steps"]), int(found["drill_every"])

    def batch(self, step: int) -> torch.Tensor:
        """Return the rows of a step; after one epoch the same order begins again."""
        length, rows = self.order[step % len(self.order)]
        return torch.from_numpy(self.rows[length][rows].astype(np.int64))

    def one_step(self, share: float, is_drill: bool) -> float:
        """Train on one batch, or on one drill, and return its loss."""
        for optimizer, peaks in zip(self.optimizers, self.peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * share
        if is_drill:
            batch, labels = (torch.from_numpy(found) for found in drill(self.step))
            loss = loss_of(self.forward, batch, labels)
        else:
            loss = loss_of(self.forward, self.batch(self.step))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return loss.item()

    @torch.no_grad()
    def evaluate(self) -> float:
        """Return the mean loss on held-out rows."""
        parts = torch.from_numpy(self.held_out.astype(np.int64)).split(4)
        return sum(loss_of(self.forward, part).item() for part in parts) / len(parts)

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "model": self.model.state_dict(), "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step, "seconds": self.seconds, "plan": self.plan(),
        }  # fmt: skip
        torch.save(state, self.work / "checkpoint.part")
        os.replace(self.work / "checkpoint.part", self.work / "checkpoint.pt")

    def load(self) -> None:
        """Go on where the checkpoint ended."""
        state = torch.load(self.work / "checkpoint.pt")
        self.model.load_state_dict(state["model"])
        for optimizer, found in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(found)
        self.step, self.seconds = state["step"], state["seconds"]

    def train(self) -> None:
        """Run to the end of the plan."""
        started, saved = time.monotonic() - self.seconds, time.monotonic()
        losses: list[float] = []
        drills: list[float] = []
        total, decay, every = self.plan()
        while self.step < total:
            is_drill = every > 0 and self.step % every == every - 1
            (drills if is_drill else losses).append(self.one_step(rate_share(self.step, total, decay), is_drill))
            self.step += 1
            self.seconds = time.monotonic() - started
            if self.step % LOG_EVERY == 0:
                total, decay, every = self.plan()
                self.log(loss=_mean(losses), drill=_mean(drills))
                losses, drills = [], []
            if self.step % EVALUATE_EVERY == 0:
                self.log(held_out=round(self.evaluate(), 4))
            if time.monotonic() - saved > SAVE_SECONDS:
                self.save()
                saved = time.monotonic()
        self.log(held_out=round(self.evaluate(), 4))
        self.save()

    def log(self, **found: float | None) -> None:
        """Print one line of JSON."""
        tokens = self.step * STEP_TOKENS
        print(json.dumps({"step": self.step, "tokens": tokens, "seconds": round(self.seconds), **found}), flush=True)


def model_of_checkpoint(work: Path) -> tuple[LlamaForCausalLM, dict[str, Any]]:
    """Return the model of the latest checkpoint and the numbers beside it."""
    state = torch.load(work / "checkpoint.pt", map_location="cpu")
    model = fresh_model()
    model.load_state_dict(state["model"])
    return model, {"step": state["step"], "seconds": state["seconds"], "plan": state["plan"]}


def arguments() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", default=str(WORK))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--compile", action="store_true")
    return parser


if __name__ == "__main__":
    Run(arguments().parse_args()).train()
