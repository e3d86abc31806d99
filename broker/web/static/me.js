// Leaving closes: whoever goes on to another site or closes the tab leaves nothing open behind.
// Who comes back within half a minute, or loads the page again, goes on.
(() => {
  "use strict";
  let goesOn = false;
  const tell = (field) => {
    const csrf = document.querySelector("input[name=csrf]");
    if (csrf === null) return;
    navigator.sendBeacon("/me/leave", new URLSearchParams({ csrf: csrf.value, [field]: "yes" }));
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (link === null || link.hasAttribute("download")) return;
    const url = new URL(link.href, location.href);
    goesOn = url.origin === location.origin && `${url.pathname}/`.startsWith("/me/");
  });
  document.addEventListener("submit", () => { goesOn = true; });
  window.addEventListener("pagehide", () => { if (!goesOn) tell("soon"); });
  window.addEventListener("pageshow", (event) => {
    goesOn = false;
    if (event.persisted) location.reload();
    else setTimeout(() => tell("stay"), 2000);
  });
})();
