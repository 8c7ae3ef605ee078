// Runs before the first paint: a browser with columns of its own must not flash the usual ones, nor a small
// screen the filters.
(function () {
  "use strict";
  var root = document.documentElement;
  if (matchMedia("(max-width: 75rem)").matches) root.dataset.narrow = "";
  try {
    var own = localStorage.getItem("flower-tasks-columns");
    if (own && !new URLSearchParams(location.search).has("columns")) root.dataset.columns = own;
  } catch (error) {
    // Storage is blocked: the usual columns.
  }
})();
