// What sets formulas. It takes none of TeX's commands that make links, styles or classes:
// those are HTML, which a notebook's formulas are not asked for.
"use strict";
window.MathJax = {
  tex: {
    inlineMath: [["$", "$"], ["\\(", "\\)"]], displayMath: [["$$", "$$"], ["\\[", "\\]"]], processEscapes: true,
    packages: { "[-]": ["html", "require", "autoload"] },
  },
  options: { ignoreHtmlClass: "input|output_text|output_stream", enableMenu: false },
};
