"""The next step as data: every code has words, names are those of the API, and values are filled in."""

from typing import get_args

import pytest

from llmlora.api.job_models import Action
from llmlora.core import actions
from llmlora.core.actions import action_of, change_of
from llmlora.core.config import TrainConfig
from llmlora.core.locale import catalogue


@pytest.mark.parametrize("code", actions._ACTIONS)
def test_every_action_belongs_to_words_and_has_a_name_of_the_api(code):
    name, values = actions._ACTIONS[code]
    assert name in get_args(Action.model_fields["name"].annotation)
    keys = (
        f"error.{code}.hint",
        f"data.{code}.hint",
        f"cli.finding.{code}",
        f"cli.warning.{code}",
        f"cli.setting.{code}",
    )
    assert any(key in catalogue("en") for key in keys)
    if name == "change_settings":
        assert set(values) <= set(TrainConfig.model_fields)


def test_values_come_from_the_error():
    assert action_of("all_rows_overlong", {"fits": 90}) == {"name": "change_settings", "values": {"max_length": 90}}
    assert action_of("facts_lost", {"finer": "Q8_0"})["values"] == {"quantizations": ["Q8_0"]}


@pytest.mark.parametrize(("code", "params"), [("all_rows_overlong", {}), ("no such code", {}), (None, {})])
def test_what_is_not_known_is_not_proposed(code, params):
    assert action_of(code, params) is None


def test_settings_that_return_to_what_is_recommended_are_a_change():
    assert change_of({"max_steps": None}) == {"name": "change_settings", "values": {"max_steps": None}}
    assert change_of(None) is None
