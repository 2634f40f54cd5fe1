// Sets the theme that was chosen before the page is drawn.
"use strict";
try { const chosen = localStorage.getItem("ngebm-theme"); if (chosen) document.documentElement.dataset.theme = chosen; } catch (e) {}
