// Tells what changed on a page that waits for others; without this file its link looks again.
// The page itself stays: a reload would take the focus and the place of who reads it (WCAG 2.2.1).
"use strict";

(() => {
  const LOOK_AGAIN_MILLISECONDS = 5000;

  async function lookAgain() {
    const waiting = document.querySelector("[data-waiting]");
    try {
      const answer = await fetch(location.href);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById(waiting.id);
      if (answer.ok && now) {
        waiting.replaceChildren(...now.childNodes);
        if (!("waiting" in now.dataset)) {
          return;
        }
      }
    } catch {
      // No network just now: the next look may have it.
    }
    setTimeout(lookAgain, LOOK_AGAIN_MILLISECONDS);
  }

  if (document.querySelector("[data-waiting]")) {
    setTimeout(lookAgain, LOOK_AGAIN_MILLISECONDS);
  }
})();
