// Shows a button that copies the text for the helpdesk; without this file people read it out.
"use strict";

(() => {
  const button = document.querySelector("[data-copy], [data-copy-from]");
  const status = document.getElementById("copied");
  if (!button || !status || !navigator.clipboard) {
    return;
  }
  const source = document.getElementById(button.dataset.copyFrom);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source ? source.value : button.dataset.copy);
      status.textContent = button.dataset.copied;
    } catch {
      button.hidden = true; // not allowed here: the text itself stays readable
    }
  });
})();
