// Runs before the first paint, as a classic script in <head>, so that no page flashes in the wrong theme.
(function () {
  "use strict";
  function apply() {
    var theme = null;
    try {
      theme = localStorage.getItem("flower-theme");
    } catch (error) {
      theme = null; // Storage is blocked: follow the system.
    }
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }
  apply();
  addEventListener("storage", apply);
  document.addEventListener("flower:theme", apply);
})();
