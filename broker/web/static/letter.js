// A letter's QR code holds the code behind #, which no server sees: put it into the field.
(() => {
  "use strict";
  const code = decodeURIComponent(location.hash.slice(1));
  const field = document.getElementById("code");
  if (!code || field === null) return;
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search);
})();
