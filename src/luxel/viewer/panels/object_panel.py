"""The panel of objects: which is selected, its shape, place and material; adding, duplicating and deleting."""

from collections.abc import Callable
from typing import Any, TypeAlias

import viser

from luxel import InputError
from luxel.scene.description import Camera, Material, Object, Panel, Plane
from luxel.viewer import colours, edits
from luxel.viewer.document import Document, State
from luxel.viewer.panels.fields import Fields, Tell

NONE, NEW = "–", "…"
MAX_LISTED = 200
"""Objects; all others are selected by a click."""
MAX_SCALE = 4.0
CameraOf: TypeAlias = Callable[[viser.ClientHandle | None], Camera]


class ObjectPanel:
    """Inputs for the selected object, in a `place` of the page; made anew when another one, or shape, is selected."""

    def __init__(self, gui: viser.GuiApi, place: Any, document: Document, tell: Tell, camera_of: CameraOf) -> None:
        self._gui, self._place, self._document = gui, place, document
        self._fields = Fields(document, tell)
        self._of_object = Fields(document, tell)
        self._shown: tuple[int, str] | None = None
        self._folders: list[Any] = []
        with place:
            self._choices(tell, camera_of)
        self.refresh(document.state)

    def _choices(self, tell: Tell, camera_of: CameraOf) -> None:
        gui = self._gui
        self._selection = gui.add_dropdown("Object", [NONE], initial_value=NONE)
        self._fields.bind(self._selection, name_of_selected, self._select)
        change = gui.add_button_group("Selected", ("Duplicate", "Delete"))
        self._fields.button(change, lambda _: self.duplicate() if change.value == "Duplicate" else self.delete())
        new = gui.add_dropdown("Add", (NEW, *edits.SHAPES), initial_value=NEW, hint="Where the camera looks at")
        self._adds(new, tell, camera_of)

    def duplicate(self) -> None:
        """Duplicate the selected object, and select the copy."""
        scene, number = self._document.state
        if number is not None:
            self._document.edit(edits.duplicated(scene, number), len(scene.objects))

    def delete(self) -> None:
        """Delete the selected object. Raises InputError for a scene's only one."""
        scene, number = self._document.state
        if number is None:
            return
        if len(scene.objects) == 1:
            raise InputError("a scene must have at least one object; add another one, and delete this one then")
        self._document.edit(scene.without(number), None)

    def add(self, shape: str, camera: Camera) -> None:
        """Add an object where the camera looks at, and select it."""
        scene = self._document.scene
        self._document.edit(edits.added(scene, shape, camera), len(scene.objects))

    def _adds(self, new: Any, tell: Tell, camera_of: CameraOf) -> None:
        """Add an object of the shape that is chosen of a list, which then shows none again."""

        @new.on_update
        async def chosen(event: Any) -> None:
            if event.client is None or new.value == NEW:
                return
            try:
                self.add(new.value, camera_of(event.client))
            except InputError as error:
                tell(event.client, str(error))
            new.value = NEW

    def refresh(self, state: State) -> None:
        """Show the state."""
        names = (NONE, *listed_names(state))
        if self._selection.options != names:
            self._selection.options = names
        self._fields.refresh(state)
        number = state.selected
        shown = None if number is None else (number, state.scene.objects[number].shape)
        if shown != self._shown:
            self._shown = shown
            self._rebuild(state)
        elif shown is not None:
            self._of_object.refresh(state)

    def _select(self, name: str) -> None:
        self._document.select(None if name == NONE else int(name.split()[0]))

    def _rebuild(self, state: State) -> None:
        self._of_object.clear()
        for folder in self._folders:
            folder.remove()
        self._folders.clear()
        if state.selected is None:
            return
        item = state.scene.objects[state.selected]
        for title, make in (("Shape", self._shape_inputs), ("Material", self._material_inputs)):
            with self._place, self._gui.add_folder(title) as folder:
                make(item)
            self._folders.append(folder)

    def _shape_inputs(self, item: Object) -> None:
        gui, fields = self._gui, type(item).model_fields
        self._bind(
            gui.add_dropdown("Shape", edits.SHAPES, initial_value=item.shape), lambda item: item.shape, edits.reshaped
        )
        self._numbers_of("Center", "center")
        if "rotation" in fields:
            self._numbers(
                "Rotation °",
                lambda item: edits.euler_degrees(item.rotation),
                lambda item, degrees: item.model_copy(update={"rotation": edits.quaternion_of(degrees)}),
            )
        if isinstance(item, Plane):
            self._numbers_of("Normal", "normal")
            return
        for name in ("semi_axes", "half_extents", "radius", "half_height"):
            if name in fields:
                self._numbers_of(name.replace("_", " ").capitalize(), name)
        if isinstance(item, Panel):
            self._bind(
                gui.add_dropdown("Outline", ("rectangle", "ellipse"), initial_value=item.outline),
                lambda item: item.outline,
                lambda item, outline: item.model_copy(update={"outline": outline}),
            )
        base = edits.size_of(item)
        self._bind(
            gui.add_slider("Scale", 0.1, MAX_SCALE, 0.01, 1.0, hint="1: as it was when selected"),
            lambda item: min(max(edits.size_of(item) / base, 0.1), MAX_SCALE),
            lambda item, scale: edits.scaled(item, scale * base / edits.size_of(item)),
        )

    def _numbers_of(self, label: str, name: str) -> None:
        """One, two or three numbers of a field of the object."""
        self._numbers(
            label,
            lambda item: getattr(item, name),
            lambda item, value: item.model_copy(update={name: value}),
        )

    def _material_inputs(self, item: Object) -> None:
        gui, material = self._gui, item.material
        self._bind(
            gui.add_rgb("Base color", colours.picked_of(material.base_color)),
            lambda item: colours.picked_of(item.material.base_color),
            lambda item, picked: with_material(item, base_color=colours.linear_of(picked)),
        )
        for name in ("metallic", "specular", "roughness", "transmission"):
            self._share_of_material(item, name)
        self._emission_inputs(material)

    def _share_of_material(self, item: Object, name: str) -> None:
        """A slider for one of the material's numbers in [0, 1]."""
        value, fixed = getattr(item.material, name), is_fixed(item, name)
        self._bind(
            self._gui.add_slider(name.capitalize(), 0.0, 1.0, 0.001, value, disabled=fixed),
            lambda item: getattr(item.material, name),
            lambda item, value: with_material(item, **{name: float(value)}),
        )

    def _emission_inputs(self, material: Material) -> None:
        hue = self._gui.add_rgb("Emission", colours.hue_of(material.emission))

        def strength_of(item: Object) -> float:
            return colours.strength_of(item.material.emission)

        def emitting(item: Object, picked: colours.Picked, strength: float) -> Object:
            return with_material(item, emission=colours.radiance_of(picked, strength))

        def hue_shown(item: Object) -> Any:  # of what is dark, the hue that it had
            return colours.hue_of(item.material.emission) if item.material.is_emissive else hue.value

        self._bind(hue, hue_shown, lambda item, picked: emitting(item, picked, strength_of(item)))
        self._numbers(
            "Radiance", strength_of, lambda item, strength: emitting(item, hue.value, strength), hint="0: no lamp"
        )

    def _bind(self, handle: Any, read: Callable[[Any], Any], write: Callable[[Any, Any], Object]) -> None:
        """Bind an input to the selected object."""
        self._of_object.bind(handle, self._reader(read, lambda: handle.value), self._writer(handle.label, write))

    def _numbers(
        self, label: str, read: Callable[[Any], Any], write: Callable[[Any, Any], Object], **options: Any
    ) -> None:
        """Add an input for a number of the selected object, or some, and bind it."""
        now = read(self._document.scene.objects[self._document.selected or 0])
        self._of_object.bind_numbers(
            self._gui, label, self._reader(read, lambda: now), self._writer(label, write), **options
        )

    def _reader(self, read: Callable[[Any], Any], otherwise: Callable[[], Any]) -> Callable[[State], Any]:
        """What the selected object has; without one, what stands for that."""

        def read_selected(state: State) -> Any:
            return otherwise() if state.selected is None else read(state.scene.objects[state.selected])

        return read_selected

    def _writer(self, label: str, write: Callable[[Any, Any], Object]) -> Callable[[Any], None]:
        def write_selected(value: Any) -> None:
            scene, number = self._document.state
            if number is not None:
                item = write(scene.objects[number], value)
                self._document.edit(edits.with_item(scene, number, item), gesture=(number, label))

        return write_selected


def name_of(number: int, item: Object) -> str:
    """How an object is called in lists."""
    return f"{number} {item.shape}{', lamp' if item.material.is_emissive else ''}"


def listed_names(state: State) -> list[str]:
    """Of the first objects, and of the selected one."""
    numbers = {*range(min(len(state.scene.objects), MAX_LISTED))}
    numbers |= set() if state.selected is None else {state.selected}
    return [name_of(number, state.scene.objects[number]) for number in sorted(numbers)]


def name_of_selected(state: State) -> str:
    """How the selected object is called."""
    return NONE if state.selected is None else name_of(state.selected, state.scene.objects[state.selected])


def with_material(item: Object, **changes: Any) -> Object:
    """The object with fields of its material changed."""
    return item.model_copy(update={"material": item.material.model_copy(update=changes)})


def is_fixed(item: Object, name: str) -> bool:
    """Whether a field of the material can't be changed: a panel has no inside that could transmit."""
    return name == "transmission" and isinstance(item, Panel)
