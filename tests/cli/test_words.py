"""The FIELD=COLUMN and KEY=VALUE words of the command line."""

import pytest

from llmlora.cli.words import columns_of, settings_of
from llmlora.core.errors import ConfigError


def test_values_are_read_as_yaml_and_short_names_become_the_settings_own():
    words = ["r=4", "lr=1e-4", "target_modules=[q_proj, v_proj]", "packing=false", "system=a=b", "epochs = 2.5"]
    assert settings_of(words) == {
        "r": 4, "learning_rate": "1e-4", "target_modules": ["q_proj", "v_proj"], "packing": False, "system": "a=b",
        "num_train_epochs": 2.5,
    }  # fmt: skip
    assert settings_of(None) == settings_of([]) == {}


def test_columns_stay_text_and_keep_their_case():
    assert columns_of(["instruction=質問", "output=No 3", " input =A=B"]) == {
        "instruction": "質問", "output": "No 3", "input": "A=B",
    }  # fmt: skip
    assert columns_of(None) == {}


@pytest.mark.parametrize(
    ("read", "words", "code"),
    [
        (settings_of, ["r"], "not_key_value"),
        (settings_of, ["=4"], "not_key_value"),
        (settings_of, ["r=[1"], "not_key_value"),
        (settings_of, ["r=4", "rank=8"], "setting_twice"),
        (columns_of, ["instruction"], "not_key_value"),
        (columns_of, ["=質問"], "not_key_value"),
        (columns_of, ["instruction="], "not_key_value"),
        (columns_of, ["output=a", "output=b"], "setting_twice"),
    ],
)
def test_wrong_words_are_named(read, words, code):
    with pytest.raises(ConfigError) as caught:
        read(words)
    assert caught.value.code == code
    assert caught.value.params["option"] == ("--set" if read is settings_of else "--map")
    assert words[-1] == caught.value.params.get("word", words[-1])
