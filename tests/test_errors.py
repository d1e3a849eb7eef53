"""Messages for models other than the scene's."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from luxel.scene.errors import explain


class Lamp(BaseModel):
    model_config = ConfigDict(extra="forbid")
    watts: float


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"wats": 1}, "watts is missing\nf.json: wats is not a known field; did you mean watts?"),
        ({"watts": None}, "watts is None: input should be a valid number"),
        ({"watts": 1, "zzz": 1}, "zzz is not a known field; known are watts"),
    ],
)
def test_lines(data, line):
    with pytest.raises(ValidationError) as error:
        Lamp.model_validate(data)
    assert explain(error.value, "f.json", {"": Lamp}) == f"f.json: {line}"
