"""Turns executed notebooks into the parts of their pages.

    python page.py < NOTEBOOKS

Reads JSON, a list of {"path", "folder", "name"}: the notebook, where pictures are
that its text shows from files, and what its page is called. Writes a line of JSON
for each:

    body       the notebook as HTML; its pictures are the files below
    headings   [{"level", "id", "html"}] of what comes below the title
    figures    [{"file", "alt", "width", "height", "content", "still"}], in the
               page's order; content is base64, width and height are in CSS pixels,
               0 if unknown; still is the file, still to be made, of an animation's
               last picture
    formulas   whether the text has any
    mathjax    the file of what sets them
"""

import base64
import json
import os
import re
import sys
import threading
import time
from importlib.metadata import files
from pathlib import Path
from urllib.parse import unquote


def leash(parent):
    """Ends this process when the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


# Before what follows is imported, which takes its time.
threading.Thread(target=leash, args=(os.getppid(),), daemon=True).start()

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from traitlets.config import Config

exporter = HTMLExporter(
    template_name="basic",
    config=Config({"HTMLExporter": {"exclude_input_prompt": True, "exclude_output_prompt": True}}),
)


def name_headings(soup):
    """Gives headings ids that are used once, makes each but the title a link to
    itself, and returns those that are the page's contents."""
    headings, seen = [], set()
    for tag in soup.find_all(re.compile("^h[1-6]$")):
        for mark in tag.find_all("a", class_="anchor-link"):
            mark.decompose()
        wanted = ident = unquote(tag.get("id") or "section")
        n = 2
        while ident in seen:
            ident, n = f"{wanted}-{n}", n + 1
        seen.add(ident)
        tag["id"] = ident
        inner = tag.decode_contents().strip()
        if tag.name in ("h2", "h3") and not tag.find_parent(class_="output"):
            headings.append({"level": int(tag.name[1]), "id": ident, "html": re.sub(r"</?a\b[^>]*>", "", inner)})
        if tag.name != "h1" and not tag.find("a"):
            link = soup.new_tag("a", href="#" + ident, attrs={"class": "anchor"})
            for child in list(tag.contents):
                link.append(child.extract())
            tag.append(link)
    return headings


def link_pages(soup, published):
    """Makes links from notebook to notebook lead from page to page; one to what is
    not on the site leaves its text."""
    for link in soup.find_all("a", href=re.compile(r"^[^:/#]+\.ipynb(#|$)")):
        target, _, place = link["href"].partition(".ipynb")
        if unquote(target) in published:
            link["href"] = f"{target}.html{place}"
        else:
            link.unwrap()


def take_figures(soup, folder, name):
    """Makes pictures files beside the page, each a link to itself: that is how they
    are enlarged where there is no JavaScript."""
    figures, title = [], ""
    for tag in soup.find_all(["img", "h1", "h2", "h3"]):
        if tag.name != "img":
            title = tag.get_text().strip()
            continue
        src = tag.get("src", "")
        inline = re.match(r"data:image/(png|gif);base64,", src)
        if inline:
            content, kind = src.partition(",")[2], "." + inline[1]
        elif ":" not in src:
            picture = Path(folder, unquote(src))
            content, kind = base64.b64encode(picture.read_bytes()).decode(), picture.suffix
        else:
            continue
        file = f"figures/{name}-{len(figures) + 1}{kind}"
        tag["src"], tag["loading"] = file, "lazy"
        if not tag.get("alt"):
            tag["alt"] = f"Figure {len(figures) + 1}" + (f", under “{title}”" if title else "")
        size = [int(v) if re.fullmatch(r"\d+", v) else 0 for v in (tag.get("width", ""), tag.get("height", ""))]
        still = f"figures/{name}-{len(figures) + 1}-still.png" if kind == ".gif" else ""
        figures.append(
            {"file": file, "alt": tag["alt"], "width": size[0], "height": size[1], "content": content, "still": still}
        )
        if still:  # for readers whose system is set to less motion
            tag = tag.wrap(soup.new_tag("picture"))
            tag.insert(0, soup.new_tag("source", media="(prefers-reduced-motion: reduce)", srcset=still))
        if not tag.find_parent("a"):
            tag.wrap(soup.new_tag("a", href=file, attrs={"class": "zoom"}))
    return figures


def keep_together(soup):
    """Keeps a formula and the punctuation after it on one line, where browsers see a
    picture and then a comma."""
    pair = re.compile(r"((?<![$\\])\$(?!\$)[^$\n]+\$(?!\$)[,.;:!?)]+)")
    for words in soup.find_all(string=pair):
        if words.find_parent(["pre", "code", "a"]):
            continue
        for i, part in enumerate(pair.split(words)):
            if i % 2:
                span = soup.new_tag("span", attrs={"class": "together"})
                span.string = part
                words.insert_before(span)
            else:
                words.insert_before(part)
        words.extract()


def let_scroll(soup):
    """Lets what is wider than the page scroll by itself."""
    for table in soup.find_all("table"):
        if not table.find_parent("table"):
            table.wrap(soup.new_tag("div", attrs={"class": "scroll"}))


def wrap_sentences(soup):
    """Lets long sentences that a cell printed wrap, where tables keep their lines:
    those have columns, with more than one space between."""
    for pre in soup.select(".output_stdout pre"):
        if pre.find(True):
            continue  # coloured by the program
        lines = pre.get_text().splitlines(keepends=True)
        pre.clear()
        for line in lines:
            if len(line) > 60 and "  " not in line.strip():
                span = soup.new_tag("span", attrs={"class": "sentence"})
                span.string = line
                pre.append(span)
            else:
                pre.append(line)


def fold_logs(soup):
    """Folds lines about training (“✓ train …”) into one where there are several in
    a row."""
    for output in soup.find_all(class_="output"):
        run = []
        for area in [*output.find_all(class_="output_area", recursive=False), None]:
            if area is not None and area.find(class_="output_html") and area.get_text().strip().startswith("✓") and not area.find("img"):
                run.append(area)
                continue
            if len(run) > 2:
                details = soup.new_tag("details", attrs={"class": "log"})
                summary = soup.new_tag("summary")
                summary.string = f"{len(run)} lines about training"
                run[0].insert_before(details)
                details.append(summary)
                for line in run:
                    details.append(line.extract())
            run = []


def convert(notebook, published):
    nb = nbformat.read(notebook["path"], as_version=4)
    nb.metadata.setdefault("language_info", {})["pygments_lexer"] = "go"
    html, _ = exporter.from_notebook_node(nb)
    soup = BeautifulSoup(html, "html.parser")
    headings = name_headings(soup)
    link_pages(soup, published)
    figures = take_figures(soup, notebook["folder"], notebook["name"])
    keep_together(soup)
    let_scroll(soup)
    wrap_sentences(soup)
    fold_logs(soup)
    mathjax = next(f for f in files("sphinx-mathjax-offline") if f.name == "tex-svg-full.js")
    return {
        "body": str(soup),
        "headings": headings,
        "figures": figures,
        "formulas": any(cell.cell_type == "markdown" and "$" in cell.source for cell in nb.cells),
        "mathjax": str(mathjax.locate()),
    }


notebooks = json.load(sys.stdin)
for notebook in notebooks:
    json.dump(convert(notebook, [n["name"] for n in notebooks]), sys.stdout)
    print(flush=True)
