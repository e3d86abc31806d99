// Shows a button that copies the text for the helpdesk; without this file people read it out.
"use strict";

(() => {
  const button = document.querySelector("[data-copy]");
  const status = document.getElementById("copied");
  if (!button || !status || !navigator.clipboard) {
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      status.textContent = button.dataset.copied;
    } catch {
      button.hidden = true; // not allowed here: the text itself stays readable
    }
  });
})();
