// Sends the one form at once; without this file its button does the same.
"use strict";

(() => {
  const form = document.getElementById("handover");
  const arrived = performance.getEntriesByType("navigation")[0];
  // Somebody who comes here by the back button must be able to stay.
  if (form && (!arrived || arrived.type !== "back_forward")) {
    // A hidden field may be called "submit" and then hides the form's own method.
    HTMLFormElement.prototype.submit.call(form);
    // Until the next page is there this one stays, and goes on without a party that is not there.
    if (form.dataset.onward) {
      setTimeout(() => location.replace(form.dataset.onward), form.dataset.seconds * 1000);
    }
  }
})();
