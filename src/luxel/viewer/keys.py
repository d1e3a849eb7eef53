"""Keys where the browser has the focus in an input, in which viser's commands hear none.

What is typed has the browser's own undo while it is edited. With Enter, and where something was chosen, an input is
done, and left; from then on, and in one where nothing was typed, Ctrl+Z and Ctrl+Y are the scene's.
"""

import html

SCRIPT = """
if (!window.luxelHasKeys) {
  window.luxelHasKeys = true;
  let edited = null;
  const leave = () => setTimeout(() => document.activeElement?.blur());
  window.addEventListener("input", event => { edited = event.target; }, true);
  window.addEventListener("focusout", () => { edited = null; }, true);
  window.addEventListener("click", event => {
    if (event.target.closest("[role=option], [type=checkbox]")) leave();
  }, true);
  window.addEventListener("keydown", event => {
    const {key, code, ctrlKey, metaKey, target} = event;
    if (!event.isTrusted || target.tagName !== "INPUT") return;
    if (key === "Enter") leave();
    const isUndo = (ctrlKey || metaKey) && !event.shiftKey && ["z", "y"].includes(key.toLowerCase());
    if (!isUndo || edited === target) return;
    event.preventDefault();
    event.stopPropagation();
    target.blur();
    document.body.dispatchEvent(new KeyboardEvent("keydown", {key, code, ctrlKey, metaKey, bubbles: true}));
  }, true);
}
"""
PAGE = f'<img src="data:," style="display: none" onerror="{html.escape(SCRIPT)}">'
"""The script as a part of the page: viser takes HTML, of which browsers run handlers of events alone."""
