// What the tasks page has beside that of every page.

import { startColumns } from "./columns.js";
import { startSuggestions } from "./suggest.js";
import { startTaskPicks } from "./task-picks.js";

startFacets();
startColumns();
startTaskPicks();
startSuggestions();

/** On a small screen the filters are there on request; a page without script shows them. */
function startFacets() {
  const root = document.documentElement;
  const facets = document.getElementById("facets");
  if (facets && "narrow" in root.dataset) facets.open = false;
  delete root.dataset.narrow;
}
