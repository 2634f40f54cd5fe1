// Folds the contents, which come right before this, where there is no room next to the text.
"use strict";
if (matchMedia("(max-width: 64rem)").matches) document.querySelector(".contents details").open = false;
