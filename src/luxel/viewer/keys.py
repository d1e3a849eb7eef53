"""Undoing by keys where the browser has the focus in an input, in which viser's commands hear none.

What is typed, or chosen, is a change of the scene at once, and so Ctrl+Z and Ctrl+Y are the scene's there, too, and
leave the input; where the name of a file is edited they are the browser's. Enter and a choice leave the input as well.
"""

import html

SCRIPT = """
if (!window.luxelHasKeys) {
  window.luxelHasKeys = true;
  const namesOfFiles = ["File", "Map"];
  let edited = null;
  const leave = () => setTimeout(() => document.activeElement?.blur());
  const labelOf = input => {
    let row = input;
    while (row && !row.querySelector("label")) row = row.parentElement;
    return row?.querySelector("label").textContent;
  };
  const isBrowsers = input =>
    input === edited && (input.closest("[role=dialog]") || namesOfFiles.includes(labelOf(input)));
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
    if (!isUndo || isBrowsers(target)) return;
    event.preventDefault();
    event.stopPropagation();
    target.blur();
    document.body.dispatchEvent(new KeyboardEvent("keydown", {key, code, ctrlKey, metaKey, bubbles: true}));
  }, true);
}
"""
PAGE = f'<img src="data:," style="display: none" onerror="{html.escape(SCRIPT)}">'
"""The script as a part of the page: viser takes HTML, of which browsers run handlers of events alone."""
