"""The bundled general rows that are trained along with a job's own, prepared as those are."""

from __future__ import annotations

from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError, DatasetError
from llmlora.evaluation.measuring.forgetting import spare_general
from llmlora.prepare.dataset import PreparedDataset, PrepareOptions, prepare_examples
from llmlora.weights.base import Base


def prepare_options(train: TrainConfig) -> PrepareOptions:
    """Return how settings say that rows are prepared."""
    return PrepareOptions(
        max_length=train.max_length,
        assistant_only_loss=train.assistant_only_loss,
        chat_template=train.chat_template,
        system=train.system,
        split_long_text=train.split_long_text,
        drop_overlong=train.drop_overlong,
    )


def general_rows(base: Base, name: str, train: TrainConfig, count: int) -> PreparedDataset | None:
    """Return some general rows for the base of a name, None for a count of 0.

    Raises:
        ConfigError: `general_rows_refused`, one of them does not suit the template or the length.
    """
    if not count:
        return None
    try:
        return prepare_examples(spare_general(count), base, prepare_options(train))
    except DatasetError as error:
        raise ConfigError("general_rows_refused", model=name) from error
