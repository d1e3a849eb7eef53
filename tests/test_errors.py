"""Messages for models other than the scene's."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from luxel.scene.errors import explain


class Lamp(BaseModel):
    model_config = ConfigDict(extra="forbid")
    watts: float


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"wats": 1}, "watts is missing\nf.json: wats is not a known field; did you mean watts?"),
        ({"watts": None}, "watts is None, must be a number"),
        ({"watts": 1, "zzz": 1}, "zzz is not a known field; known are watts"),
    ],
)
def test_lines(data, line):
    with pytest.raises(ValidationError) as error:
        Lamp.model_validate(data)
    assert explain(error.value, "f.json", {"": Lamp}) == f"f.json: {line}"


class Candle(BaseModel):
    shape: Literal["candle"] = "candle"
    height: float


class Torch(BaseModel):
    shape: Literal["torch"] = "torch"
    watts: float


class Room(BaseModel):
    lights: list[Annotated[Candle | Torch, Field(discriminator="shape")]]


@pytest.mark.parametrize(
    ("light", "line"),
    [
        ({"shape": "candel"}, "lights[0].shape is 'candel', must be one of candle, torch; did you mean candle?"),
        ({"shape": "sun"}, "lights[0].shape is 'sun', must be one of candle, torch"),
        ({"shape": None}, "lights[0].shape is None, must be one of candle, torch"),
        ({}, "lights[0].shape is missing, must be one of candle, torch"),
        ({"shape": "torch"}, "lights[0].watts is missing"),
    ],
)
def test_shapes_are_suggested(light, line):
    with pytest.raises(ValidationError) as error:
        Room.model_validate({"lights": [light]})
    assert explain(error.value, "f.json", {"": Room, "candle": Candle, "torch": Torch}) == f"f.json: {line}"
