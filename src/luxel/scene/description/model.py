"""What all parts of a scene are: pydantic models that do not change, whose mistakes are told as a file's."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from luxel.configuration import shortened
from luxel.scene.errors import SceneError, explain

Kind = TypeVar("Kind", bound="SceneModel")
MODELS: dict[str, type[BaseModel]] = {}
"""Where a name stands in a mistake's location, and whose fields are known there; "" is the scene. See `scene`."""


class SceneModel(BaseModel):
    """What all parts of a scene share: they do not change, and what makes one raises SceneError, as a file would."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, /, *unnamed: Any, **values: Any) -> None:
        if unnamed:
            kind = type(self)
            required = [name for name, field in kind.model_fields.items() if field.is_required()]
            fields = ", ".join(f"{name}=…" for name in required or kind.model_fields)
            raise SceneError(f"{kind.__name__} takes its fields by name: {kind.__name__}({fields})")
        try:
            super().__init__(**values)
        except ValidationError as error:
            kind = type(self)
            raise SceneError(explain(error, kind.__name__, {**MODELS, "": kind})) from None

    # Else pydantic would call it for every part of a file, too, and mistakes would lose their places.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def model_copy(self: Kind, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Kind:
        """This with the fields of `update` changed. Raises SceneError for what could not be made anew."""
        return type(self)(**{**dict(self), **(update or {})})

    def copy(
        self: Kind,
        *,
        include: Any = None,
        exclude: Any = None,
        update: Mapping[str, Any] | None = None,
        deep: bool = False,
    ) -> Kind:
        """The same as `model_copy`, pydantic's newer name for it. Raises SceneError for a copy of some fields alone."""
        if include is not None or exclude is not None:
            kind = type(self).__name__
            raise SceneError(
                f"{kind}: some of its fields are no {kind}; take model_dump(include=…), which makes a dict"
            )
        return self.model_copy(update=update, deep=deep)

    def __setattr__(self, name: str, value: Any) -> None:
        """Raises SceneError: what is made stays as it is."""
        kind, told = type(self).__name__, f"model_copy(update={{{name!r}: {shortened(value, 40)}}})"
        raise SceneError(f"{kind}.{name} cannot be set, as a {kind} does not change; take {told}, which makes another")

    def __delattr__(self, name: str) -> None:
        """Raises SceneError: what is made stays as it is."""
        raise SceneError(f"{type(self).__name__}.{name} cannot be deleted, as a {type(self).__name__} does not change")

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """What a pickle holds, checked as by the constructor. Raises SceneError."""
        super().__setstate__({**state, "__dict__": dict(type(self)(**state["__dict__"]))})

    @classmethod
    def model_construct(cls: type[Kind], _fields_set: set[str] | None = None, **values: Any) -> Kind:
        """The same as the constructor: there is no way around the checks."""
        return cls(**values)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        for name, field in type(self).model_fields.items():
            if (value := getattr(self, name)) != field.default:
                yield name, value
