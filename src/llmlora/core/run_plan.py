"""What a run will do, known before it starts: its steps, and whether they can teach the rows to the model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from llmlora.core.config import TrainConfig
from llmlora.core.epochs import steps_in
from llmlora.core.reach import REFERENCE

# Of the movement (learning rate x steps) that the recommended values make; less leaves facts unlearned.
# Two data sets of 20 rows, 12 of 30 epochs (0.4): 4 of 59 facts; 100 rows, 0.41: 7 of 131; a run of level 3, 0.48: all.
LEAST_SHARE: Final = 0.45
# On nano a third of the room is enough for the facts of 20 rows; with a thirteenth, 1,050 steps teach a third of them.
MOST_ROOM_LACKING: Final = 6.5
# Of the recommended rate. Three data sets of 12 rows on nano: with 4 times all 52 facts, with 6 times 4 of them.
FAR_ABOVE: Final = 5
FAR_BELOW: Final = 0.5  # of a recommended value; from here on it is named as what to raise


@dataclass(frozen=True)
class Needs:
    """What these rows need: the learning rate for this model and adapter, and the optimizer steps.

    `room` is how many times as much as this adapter moves would be enough for facts of 20 rows; 1 is enough. Where it
    lacks too much, rate and steps are those of the reference adapter: with this one no rate and no length teaches.
    """

    learning_rate: float
    num_steps: int
    room: float = 1.0

    @property
    def has_room(self) -> bool:
        """Whether the adapter can take up the facts of the rows at all."""
        return self.room <= MOST_ROOM_LACKING


@dataclass(frozen=True)
class RunPlan:
    """The optimizer steps of a run over its training rows, and what the rows need."""

    num_train_rows: int
    num_steps: int
    steps_per_epoch: int
    needs: Needs
    average_rate: float
    config: TrainConfig

    @property
    def rows_per_step(self) -> int:
        """How many rows one optimizer step sees: batch size times accumulation, at most all of them."""
        return min(self.num_train_rows, self.config.effective_batch_size)

    @property
    def peak_rate(self) -> float:
        """The highest learning rate of the run."""
        return max([stage.learning_rate for stage in self.config.stages] or [self.config.learning_rate])

    @property
    def falls_short(self) -> bool:
        """Whether rate and steps together are too little for the facts of the rows."""
        return self.average_rate * self.num_steps < LEAST_SHARE * self.needs.learning_rate * self.needs.num_steps

    def warnings(self) -> list[dict[str, Any]]:
        """Return {`code`, `params`} of what is known to go wrong, with the `settings` that mend it: one, or none."""
        if not self.needs.has_room:
            width = REFERENCE if self.config.layers is None else {**REFERENCE, "layers": None}
            settings = {**width, **self._settings_to_raise()}
            return [{"code": "too_little_room", "params": {"lack": self.needs.room, "settings": settings}}]
        if self.peak_rate > FAR_ABOVE * self.needs.learning_rate:
            params = {
                "rate": self.peak_rate,
                "needed_rate": self.needs.learning_rate,
                "times": self.peak_rate / self.needs.learning_rate,
                "settings": {**self._without_stages(), "learning_rate": self.needs.learning_rate},
            }
            return [{"code": "rate_far_above", "params": params}]
        if self.falls_short:
            params = {
                "rate": self.average_rate,
                "steps": self.num_steps,
                "needed_rate": self.needs.learning_rate,
                "needed_steps": self.needs.num_steps,
                "settings": self._settings_to_raise(),
            }
            return [{"code": "will_not_teach", "params": params}]
        return []

    def _without_stages(self) -> dict[str, Any]:
        """Return the settings that take stages back, with which no rate of its own counts; none without stages."""
        return {"lr_scheduler_type": "linear", "stages": []} if self.config.stages else {}

    def _settings_to_raise(self) -> dict[str, Any]:
        values = self._without_stages()
        has_stages = bool(self.config.stages)
        if has_stages or self.average_rate < FAR_BELOW * self.needs.learning_rate:
            values["learning_rate"] = self.needs.learning_rate
        if has_stages or self.num_steps < FAR_BELOW * self.needs.num_steps:
            if self.config.max_steps is not None:
                values["max_steps"] = self.needs.num_steps
            else:
                values["num_train_epochs"] = math.ceil(self.needs.num_steps / self.steps_per_epoch)
        return values


def run_plan(config: TrainConfig, num_train_rows: int, needs: Needs) -> RunPlan:
    """Return the plan of a run over some training rows; the steps are those that the engine will count."""
    steps_per_epoch = math.ceil(num_train_rows / config.effective_batch_size)
    epochs = [stage.epochs for stage in config.stages] or [config.num_train_epochs]
    steps = config.max_steps if config.max_steps is not None else steps_in(epochs, steps_per_epoch)
    staged = sum(stage.learning_rate * stage.epochs for stage in config.stages)
    rate = staged / sum(epochs) if config.stages else config.learning_rate
    return RunPlan(num_train_rows, steps, steps_per_epoch, needs, rate, config)
