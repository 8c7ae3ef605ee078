// Starts what every page has; each part does nothing where its elements are missing.

import { startActions } from "./actions.js";
import { startCharts } from "./chart.js";
import { startClock } from "./clock.js";
import { startDetails } from "./details.js";
import { startHold } from "./hold.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startNavigation } from "./navigate.js";
import { startTheme } from "./theme.js";
import { startWorkerPicks } from "./worker-picks.js";

startDetails();
startClock();
startTheme();
startKeys();
startActions();
startNavigation();
startHold();
startLive();
startWorkerPicks();
startCharts();
document.documentElement.dataset.script = "running";
