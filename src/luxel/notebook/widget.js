// The browser's side of the orbiting view: sets azimuth, elevation and distance, shows the picture that comes back.
const DEGREES_PER_PIXEL = 0.5;
const STEEPEST = 89.5;
const FACTOR_PER_WHEEL_PIXEL = 1.001;

function render({ model, el }) {
  const image = document.createElement("img");
  image.width = model.get("width");
  image.height = model.get("height");
  image.draggable = false;
  image.alt = "The scene; drag to turn it, the wheel comes nearer";
  image.style.cssText = "display: block; cursor: grab; touch-action: none; background: #888";
  const status = document.createElement("small");
  el.append(image, status);

  let address = null;
  function showPicture() {
    const bytes = model.get("picture");
    if (!bytes || bytes.byteLength === 0) return;
    const previous = address;
    address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    image.src = address;
    if (previous) URL.revokeObjectURL(previous);
  }
  function showStatus() {
    status.textContent = model.get("status");
  }

  // What the hand did since the last frame is sent as one change.
  let pending = false;
  function move(right, down, factor) {
    const elevation = model.get("elevation_degrees") + down * DEGREES_PER_PIXEL;
    model.set("azimuth_degrees", model.get("azimuth_degrees") - right * DEGREES_PER_PIXEL);
    model.set("elevation_degrees", Math.min(Math.max(elevation, -STEEPEST), STEEPEST));
    model.set("distance", model.get("distance") * factor);
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      model.save_changes();
    });
  }
  function drag(event) {
    if (image.hasPointerCapture(event.pointerId)) move(event.movementX, event.movementY, 1);
  }
  function zoom(event) {
    event.preventDefault();
    move(0, 0, FACTOR_PER_WHEEL_PIXEL ** event.deltaY);
  }
  image.addEventListener("pointerdown", (event) => image.setPointerCapture(event.pointerId));
  image.addEventListener("pointermove", drag);
  image.addEventListener("wheel", zoom, { passive: false });

  model.on("change:picture", showPicture);
  model.on("change:status", showStatus);
  showPicture();
  showStatus();
  return () => {
    model.off("change:picture", showPicture);
    model.off("change:status", showStatus);
    if (address) URL.revokeObjectURL(address);
  };
}

export default { render };
