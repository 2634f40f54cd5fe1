// What sets formulas. It takes none of TeX's commands that make links, styles or classes:
// those are HTML, which a notebook's formulas are not asked for. Nor do such attributes of
// MathML stay, or pictures, which other commands can give to parts of a formula.
"use strict";
const plainFormula = ({ data }) => data.root.walkTree(part => {
  const given = part.attributes ? part.attributes.getAllAttributes() : {};
  for (const name of ["class", "href", "id", "src", "style"]) delete given[name];
});
window.MathJax = {
  tex: {
    inlineMath: [["$", "$"], ["\\(", "\\)"]], displayMath: [["$$", "$$"], ["\\[", "\\]"]], processEscapes: true,
    packages: { "[-]": ["html", "require", "autoload"] },
  },
  options: { ignoreHtmlClass: "input|output_text|output_stream", enableMenu: false },
  startup: {
    ready() {
      MathJax.startup.defaultReady();
      MathJax.startup.input.forEach(jax => jax.postFilters.add(plainFormula));
    },
  },
};
