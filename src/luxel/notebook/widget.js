// The browser's side of the orbiting view: sets azimuth, elevation and distance, shows the picture that comes back.
const DEGREES_PER_PIXEL = 0.5;
const MAX_ELEVATION_DEGREES = 89.5;
const FACTOR_PER_WHEEL_PIXEL = 1.001;

function render({ model, el }) {
  const image = document.createElement("img");
  image.width = model.get("width");
  image.height = model.get("height");
  image.draggable = false;
  image.title = "Drag to turn it; the wheel comes nearer";
  image.style.cssText = "display: block; cursor: grab; touch-action: none; background: #888";
  const status = document.createElement("small");
  el.append(image, status);

  function showPicture() {
    const address = model.get("picture");
    if (!address) return;
    image.src = address;
    image.alt = "The scene";
  }
  function showStatus() {
    status.textContent = model.get("status");
  }

  // What the hand did since the last frame is sent as one change.
  let pending = false;
  function move(right, down, factor) {
    const elevation = model.get("elevation_degrees") + down * DEGREES_PER_PIXEL;
    model.set("azimuth_degrees", model.get("azimuth_degrees") - right * DEGREES_PER_PIXEL);
    model.set("elevation_degrees", Math.min(Math.max(elevation, -MAX_ELEVATION_DEGREES), MAX_ELEVATION_DEGREES));
    model.set("distance", model.get("distance") * factor);
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      model.save_changes();
    });
  }
  // Not movementX, whose pixels are the screen's in some browsers and the page's in others.
  let last = null;
  function grab(event) {
    if (event.button !== 0) return;
    image.setPointerCapture(event.pointerId);
    last = event;
  }
  function drag(event) {
    if (!last || event.pointerId !== last.pointerId) return;
    move(event.clientX - last.clientX, event.clientY - last.clientY, 1);
    last = event;
  }
  function release() {
    last = null;
  }
  function zoom(event) {
    event.preventDefault();
    move(0, 0, FACTOR_PER_WHEEL_PIXEL ** event.deltaY);
  }
  image.addEventListener("pointerdown", grab);
  image.addEventListener("pointermove", drag);
  image.addEventListener("lostpointercapture", release);
  image.addEventListener("wheel", zoom, { passive: false });

  model.on("change:picture", showPicture);
  model.on("change:status", showStatus);
  showPicture();
  showStatus();
  return () => {
    model.off("change:picture", showPicture);
    model.off("change:status", showStatus);
  };
}

export default { render };
