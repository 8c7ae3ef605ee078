// Runs before the first paint, as a classic script in <head>, so that no page flashes in the wrong theme and
// nothing moves when the controls that need scripts come to life.
(function () {
  "use strict";
  var root = document.documentElement;
  root.dataset.script = "loading";
  function apply() {
    var theme = null;
    try {
      theme = localStorage.getItem("flower-theme");
    } catch (error) {
      theme = null; // Storage is blocked: follow the system.
    }
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }
  apply();
  addEventListener("storage", apply);
  document.addEventListener("flower:theme", apply);
})();
