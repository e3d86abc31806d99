// Searches while you type: fetches this same page and takes over its list and its count.
// Without this file the search button does the same.
"use strict";

(() => {
  const PAUSE_MILLISECONDS = 150;
  const REPLACED = ["count", "results"];
  const form = document.getElementById("search");
  const field = document.getElementById("q");
  if (!form || !field) {
    return;
  }
  let timer = 0;
  let shown = field.value.trim();
  let request = new AbortController();

  const search = async () => {
    const wanted = field.value.trim();
    if (wanted === shown) {
      return;
    }
    request.abort();
    request = new AbortController();
    try {
      const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
      const answer = await fetch(address, { signal: request.signal, redirect: "error" });
      if (!answer.ok) {
        return; // the search button then shows what the matter is
      }
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of REPLACED) {
        const fresh = found.getElementById(id);
        if (fresh) {
          document.getElementById(id).replaceChildren(...fresh.childNodes);
        }
      }
      shown = wanted;
    } catch (problem) {
      if (problem.name !== "AbortError" && problem.name !== "TypeError") {
        throw problem; // newer letters overtook this search, or the network is away
      }
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE_MILLISECONDS);
  });
})();
