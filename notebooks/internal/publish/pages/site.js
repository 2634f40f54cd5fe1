// What the pages do beyond what HTML does: the switch between light and dark,
// figures that enlarge in place, formulas that fit, tables to copy, and the mark at the
// section that is being read.
// Without it everything can still be read, and figures open as files.
"use strict";

// The switch shows what a press leads to, and is remembered where that is allowed.
const root = document.documentElement, theme = document.getElementById("theme");
const isDark = () => getComputedStyle(root).colorScheme === "dark" || !root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches;
const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; theme.setAttribute("aria-label", isDark() ? "Light page" : "Dark page"); };
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try { localStorage.setItem("ngebm-theme", root.dataset.theme); } catch (e) {}
  label();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
label();
theme.hidden = false;

// A figure enlarges to what the window holds of it, and never below its size on the
// page: on a phone one then moves over it.
const dialog = document.getElementById("zoomed");
if (dialog && dialog.showModal) {
  const links = [...document.querySelectorAll("a.zoom")];
  links.forEach((link, i) => link.addEventListener("click", event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab or window was asked for
    event.preventDefault();
    const small = link.querySelector("img"), big = new Image();
    big.src = small.currentSrc || small.src; // the poster, where less motion is preferred
    big.alt = small.alt;
    const natural = small.naturalWidth, aspect = natural / small.naturalHeight;
    const fits = Math.min(natural, innerWidth - 34, (innerHeight - 150) * aspect);
    big.width = Math.max(fits, Number(small.getAttribute("width")) || small.width);
    dialog.querySelector("h2").textContent = `Figure ${i + 1} of ${links.length}`;
    dialog.querySelector("p").textContent = small.alt;
    dialog.querySelector(".picture").replaceChildren(big);
    dialog.showModal();
    dialog.scrollTop = 0;
  }));
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", event => { if (event.target.tagName !== "BUTTON" && !event.target.closest("p, h2, img")) dialog.close(); });
}

// A formula that is wider than the text is set smaller, down to three fifths; then it scrolls.
const fit = () => document.querySelectorAll('mjx-container[display="true"] > svg').forEach(formula => {
  formula.style.width = "";
  const wide = formula.getBoundingClientRect().width, room = formula.parentElement.clientWidth;
  if (wide <= room) return;
  formula.style.width = Math.max(room, wide * .6) + "px";
  formula.style.height = "auto";
});

// Whatever scrolls by itself can be reached and scrolled by keyboard.
const reach = () => {
  fit();
  document.querySelectorAll("pre, .scroll, mjx-container").forEach(box => {
    const high = box.classList.contains("scroll") && box.scrollHeight > box.clientHeight;
    if ((box.scrollWidth > box.clientWidth || high) && box.clientWidth > 0) box.tabIndex = 0;
    else if (box.tabIndex === 0) box.removeAttribute("tabindex");
  });
};
addEventListener("load", () => {
  reach();
  if (window.MathJax && MathJax.startup) MathJax.startup.promise.then(reach);
});
addEventListener("resize", reach);

// A table's CSV and LaTeX, below it, are copied by a button.
document.querySelectorAll(".output_html details pre").forEach(source => {
  const name = source.previousElementSibling;
  if (!name || name.tagName !== "P" || !navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${name.textContent}`);
  button.addEventListener("click", () => navigator.clipboard.writeText(source.textContent)
    .then(() => { button.textContent = "Copied"; }, () => { button.textContent = "Select and copy by hand"; }));
  name.append(button);
});

// The contents mark the last section whose heading has passed the window's top.
const entries = [...document.querySelectorAll(".contents a")];
const sections = entries.map(a => document.getElementById(decodeURIComponent(a.hash.slice(1))));
const mark = () => {
  let now = -1;
  sections.forEach((s, i) => { if (s && s.getBoundingClientRect().top < innerHeight / 4) now = i; });
  entries.forEach((a, i) => i === now ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current"));
};
addEventListener("scroll", mark, { passive: true });
mark();
