"""The JSON Schema of the settings: what the form of the page is made of."""

from __future__ import annotations

from llmlora.core.config import TrainConfig


def test_it_names_every_setting_with_its_limits(client):
    found = client.get("/api/training/schema").json()["schema"]
    assert set(found["properties"]) == set(TrainConfig.model_fields)
    assert found["properties"]["r"] | {"title": ""} == {
        "default": 8,
        "description": TrainConfig.model_fields["r"].description,
        "maximum": 512,
        "minimum": 1,
        "title": "",
        "type": "integer",
    }
