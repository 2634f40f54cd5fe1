"""Turns executed notebooks into the parts of their pages.

    python page.py < NOTEBOOKS

Reads lines of JSON: first what the pages are called, by the absolute paths of their
notebooks, which nothing is read from; then, for each, {"notebook", "path"}: its JSON
text and its path. Writes a line of JSON for each:

    body       the notebook as HTML; its pictures are the files below
    headings   [{"level", "id", "html"}] of what comes below the title
    figures    [{"file", "alt", "width", "height", "content", "path", "cell", "poster"}],
               in the page's order; content is base64, empty for a picture that is
               still to be read from path, which the notebook gives; cell counts the
               notebook's cells from 0; width and height are in CSS pixels, 0 if
               unknown; poster is the file, to be made, of an animation's last
               picture
    formulas   whether the text has any
    mathjax    the file of what sets them
    left_out   what the page does not have, as in "<script>" or "onclick="
    error      why there is no page; then "cell" is where, null for all of it

A notebook's HTML is an outsider's: of it, the elements, attributes and styles below
stay, whether the notebook was run or not. None of them runs anything or loads anything
but the figures, and site.css keeps what a cell paints in the cell.
"""

import base64
import html
import json
import os
import re
import resource
import signal
import sys
import threading
import time
import unicodedata
from collections import Counter
from copy import copy
from importlib.metadata import files
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit


def leash(parent):
    """Ends this process when the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


# Before what follows is imported, which takes its time.
threading.Thread(target=leash, args=(os.getppid(),), daemon=True).start()

# jsonschema checks IRIs with this package where it is installed. Notebooks hold no IRIs, and importing it
# builds a parser from a grammar: two seconds of each start.
sys.modules["rfc3987_syntax"] = None

import bleach
import nbformat
import tinycss2
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import InvalidNotebook
from traitlets.config import Config

# What stays of an outsider's HTML.
TAGS = set(
    "a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure "
    "h1 h2 h3 h4 h5 h6 hr i img input ins kbd li mark meter ol p picture pre progress q rp rt ruby s samp small source "
    "span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr".split()
)
# Elements whose text is not for readers either.
SILENT = "applet audio canvas embed frameset head iframe math noembed noframes noscript object script style svg template textarea title video xmp".split()
ATTRIBUTES = {
    "*": "dir lang role style title".split(),
    "a": ["href"],
    "details": ["open"],
    "img": ["alt", "height", "src", "width"],
    "input": ["checked", "disabled", "type"],
    "li": ["value"],
    "meter": ["max", "min", "value"],
    "ol": ["reversed", "start", "type"],
    "progress": ["max", "value"],
    "table": ["align", "border"],
    "td": ["align", "colspan", "rowspan", "valign"],
    "th": ["align", "colspan", "rowspan", "scope", "valign"],
    "time": ["datetime"],
}
# Attributes that only this script and nbconvert write.
OWN = {"*": ["class", "id"], "img": ["loading"], "source": ["media", "srcset"]}
# Classes of highlighted code and of colored text.
CLASSES = re.compile(r"highlight|hll?(-\w+)?|language-[\w+-]+|ansi-[\w-]+|task-list-item(-checkbox)?|anchor-link|[a-z]{1,2}\d?")
LINK = re.compile(r"(?i)(https?://|mailto:|#|[^:/?#]*([/?#]|$))")
PICTURE = re.compile(r"(?i)data:image/(png|jpe?g|gif|svg\+xml)(;[^,]*)?,")
KINDS = {".png", ".jpg", ".jpeg", ".gif", ".svg"}
# Ids of the page around the notebook.
RESERVED = {"main", "theme", "zoomed", "zoomed-title"}

# The most bytes of pictures in base64 that one page shows of a notebook.
HELD = 16 << 20

# What nbconvert says of a picture without a description.
NO_ALT = "No description has been provided for this image"

SIDE = "(-(top|right|bottom|left))?"
PROPERTIES = re.compile(
    f"background(-color)?|border{SIDE}(-(color|style|width))?|border-(collapse|radius|spacing)|caption-side|clear|color|(column-|row-)?gap|"
    f"direction|display|flex(-\\w+)?|float|font(-\\w+)*|(align|justify)-\\w+|letter-spacing|line-height|list-style(-type)?|margin{SIDE}|"
    f"(min-|max-)?(width|height)|opacity|overflow(-[xy]|-wrap)?|padding{SIDE}|text-(align|decoration|indent|transform)|unicode-bidi|"
    "vertical-align|white-space|word-(break|spacing|wrap)"
)


class Styles:
    """What stays of an inline style: no position, no address, nothing that moves over
    what is next to it, nothing written in escapes."""

    def sanitize_css(self, style):
        kept = [
            d
            for d in tinycss2.parse_declaration_list(html.unescape(style), skip_comments=True, skip_whitespace=True)
            if d.type == "declaration" and PROPERTIES.fullmatch(d.lower_name) and all(self.harmless(v) for v in d.value)
        ]
        text = tinycss2.serialize(kept)
        return "" if re.search(r"[&<\\]", text) else text

    def harmless(self, token):
        if token.type == "function":
            return token.lower_name in ("rgb", "rgba", "hsl", "hsla") and all(self.harmless(v) for v in token.arguments)
        if token.type in ("number", "dimension", "percentage"):
            return token.value >= 0
        return token.type in ("ident", "hash", "string", "whitespace") or token == "," or token == "/"


def may_stay(tag, name, value):
    """Reports whether an outsider's attribute stays."""
    value = html.unescape(value).strip()
    if name == "href":
        return bool(LINK.match(value))
    if name == "class":
        return all(CLASSES.fullmatch(c) for c in value.split())
    if name == "id":  # of headings, and where links lead
        return tag in ("a", "span", "h1", "h2", "h3", "h4", "h5", "h6")
    return name.startswith("aria-") or name in ATTRIBUTES["*"] or name in ATTRIBUTES.get(tag, ())


def cleaner(attributes):
    return bleach.Cleaner(
        tags=TAGS, attributes=attributes, protocols=["http", "https", "mailto", "data", "picture"], strip=True, css_sanitizer=Styles()
    )


piece = cleaner(may_stay)
whole = cleaner(lambda tag, name, value: name in OWN["*"] or name in OWN.get(tag, ()) or may_stay(tag, name, value))


class Refused(Exception):
    """There can be no page, by the cell that this is about, None for all."""

    def __init__(self, cell, why):
        super().__init__(why)
        self.cell = cell


def census(soup):
    """Counts the elements and the attributes that could do something."""
    return Counter(f"<{t.name}>" for t in soup.find_all(True)) + Counter(
        f"{a}=" for t in soup.find_all(True) for a in t.attrs if a not in ("class", "id", "name", "style", "target", "rel")
    )


class Exporter(HTMLExporter):
    """Cleans each piece of an outsider's HTML before it becomes part of the page."""

    left_out = None

    def clean(self, text):
        soup = BeautifulSoup(printable(text), "html.parser")
        before = census(soup)
        for tag in soup.find_all(SILENT):
            tag.decompose()
        for tag in soup.find_all("input"):
            if tag.get("type", "").lower() != "checkbox":
                tag.decompose()
        for tag in soup.find_all("a", attrs={"name": True, "id": False}):
            tag["id"] = tag["name"]
        for tag in soup.find_all("img", src=True):  # whatever it is, take_figures is to see it
            tag["src"] = "picture:" + quote(tag["src"])
        cleaned = piece.clean(str(soup))
        self.left_out |= set(before - census(BeautifulSoup(cleaned, "html.parser")))
        return cleaned

    @pass_context
    def markdown2html(self, context, source):
        try:
            return super().markdown2html(context, source)
        except InvalidNotebook as err:
            raise Refused(context["cell"].metadata.at, f"{err}: attach the picture again") from None

    def default_filters(self):
        yield from super().default_filters()
        yield "clean_html", lambda text: self.clean(text.decode() if isinstance(text, bytes) else str(text))


exporter = Exporter(
    template_name="basic",
    sanitize_html=True,
    config=Config({
        "HTMLExporter": {"exclude_input_prompt": True, "exclude_output_prompt": True},
        "NbConvertBase": {
            "display_data_priority": ["text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "text/plain"]
        },
    }),
)


def name_headings(soup):
    """Gives headings ids that are used once, makes each but the title a link to
    itself, and returns those that are the page's contents."""
    headings, seen = [], set(RESERVED)
    for tag in soup.find_all(re.compile("^h[1-6]$")):
        for mark in tag.find_all("a", class_="anchor-link"):
            mark.decompose()
        wanted = ident = unquote(tag.get("id") or "section")
        n = 2
        while ident in seen:
            ident, n = f"{wanted}-{n}", n + 1
        seen.add(ident)
        tag["id"] = ident
        if tag.name in ("h2", "h3") and not tag.find_parent(class_="output"):
            headings.append({"level": int(tag.name[1]), "id": ident, "html": entry(tag)})
        if tag.name != "h1" and not tag.find("a"):
            link = soup.new_tag("a", href="#" + ident, attrs={"class": "anchor"})
            for child in list(tag.contents):
                link.append(child.extract())
            tag.append(link)
    for tag in soup.find_all(["a", "span"], id=True):
        if tag["id"] in seen:
            del tag["id"]
    return headings


def entry(heading):
    """Returns a heading's HTML for the contents: words, without links and pictures."""
    words = copy(heading)
    for tag in words.find_all(True):
        if tag.name == "img":
            tag.decompose()
        elif tag.name in ("code", "em", "strong", "sub", "sup"):
            tag.attrs = {}
        else:
            tag.unwrap()
    return whole.clean(printable(words.decode_contents().strip()))


def link_pages(soup, path, published):
    """Makes links from notebook to notebook lead from page to page; one to what is
    not on the site leaves its text. published has the pages' names by notebook."""
    for link in soup.find_all("a"):
        if not link.get("href"):
            if not link.get("id"):
                link.unwrap()
            continue
        parts = urlsplit(link["href"])
        if parts.scheme or link["href"].startswith("#"):
            continue
        target = os.path.normpath(os.path.join(os.path.dirname(path), unquote(parts.path)))
        name = None if parts.netloc else published.get(unicodedata.normalize("NFC", target))
        if name:
            link["href"] = quote(name) + ".html" + (f"#{parts.fragment}" if parts.fragment else "")
        else:
            link.unwrap()


def cell_of(tag, cells):
    """Returns which of the notebook's cells a tag comes from."""
    at = [p for p in tag.parents if id(p) in cells]
    return cells[id(at[0])] if at else None


def picture(src, cell):
    """Returns a picture's base64 content, or its path, and the kind of its file."""
    inline = PICTURE.match(src)
    if inline:
        kind = {"jpeg": ".jpg", "svg+xml": ".svg"}.get(inline[1].lower(), "." + inline[1].lower())
        content = unquote_to_bytes(src[inline.end() :])
        if (inline[2] or "").lower().endswith(";base64"):
            try:
                content = base64.b64decode(b"".join(content.split()), validate=True)
            except ValueError:
                raise Refused(cell, f"a picture in it, {kind[1:].upper()}, is not base64") from None
        return base64.b64encode(content).decode(), "", kind
    shown = json.dumps(src[:80], ensure_ascii=False)
    if src.lower().startswith("data:"):
        raise Refused(cell, f"the picture {shown} is no PNG, JPEG, GIF or SVG: save it as one")
    if src.startswith("attachment:"):
        raise Refused(cell, f"the picture {shown} is not among the cell's attachments: attach it again")
    try:
        parts = urlsplit(src)
    except ValueError:
        raise Refused(cell, f"the picture {shown} has an address that is none") from None
    if parts.scheme or parts.netloc or src.startswith(("//", "\\")):
        raise Refused(cell, f"the picture {shown} is elsewhere, and a page needs nothing but its own files: save it in its folder")
    path = unquote(parts.path)
    kind = os.path.splitext(path)[1].lower()
    if kind not in KINDS:
        raise Refused(cell, f"the picture {shown} is no file whose name ends in .png, .jpg, .gif or .svg")
    return "", path, kind


def attached(src, nb, cell):
    """Returns the address of a picture, in place of the name of one that is attached."""
    name = unquote(src.removeprefix("attachment:"))
    found = {} if name == src or cell is None else nb.cells[cell].get("attachments", {}).get(name, {})
    return next((f"data:{mime};base64,{''.join(content)}" for mime, content in found.items()), src)


def take_figures(soup, nb, name, cells):
    """Makes pictures files next to the page, each a link to itself: that is how they
    are enlarged where there is no JavaScript."""
    figures, title, held = [], "", 0
    for tag in soup.find_all(["img", "h1", "h2", "h3"]):
        if tag.name != "img":
            title = tag.get_text().strip()
            continue
        if not tag.get("src"):
            tag.decompose()
            continue
        cell, src = cell_of(tag, cells), tag["src"].strip()
        if src.startswith("picture:"):
            src = unquote(src.removeprefix("picture:")).strip()
        content, path, kind = picture(attached(src, nb, cell), cell)
        held += len(content)
        if held > HELD:
            raise Refused(cell, f"the pictures within the notebook, each as often as it is shown, have more than {HELD} bytes: save them as files")
        file = f"figures/{name}-{len(figures) + 1}{kind}"
        tag["src"], tag["loading"] = quote(file), "lazy"
        if tag.get("alt", NO_ALT) in ("", NO_ALT):
            tag["alt"] = f"Figure {len(figures) + 1}" + (f", under “{title}”" if title else "")
        size = [int(v) if re.fullmatch(r"[0-9]{1,5}", v) else 0 for v in (tag.get("width", ""), tag.get("height", ""))]
        poster = f"figures/{name}-{len(figures) + 1}-poster.png" if kind == ".gif" else ""
        figures.append({
            "file": file, "alt": tag["alt"], "width": size[0], "height": size[1],
            "content": content, "path": path, "kind": kind, "cell": cell, "poster": poster,
        })
        if poster:  # for readers whose system is set to less motion
            tag = tag.wrap(soup.new_tag("picture"))
            tag.insert(0, soup.new_tag("source", media="(prefers-reduced-motion: reduce)", srcset=quote(poster)))
        if not tag.find_parent("a"):
            tag.wrap(soup.new_tag("a", href=quote(file), attrs={"class": "zoom"}))
    return figures


def keep_together(soup):
    """Keeps a formula, the parenthesis before it and the punctuation after it on one
    line, where browsers see a picture and then a comma."""
    formula = r"(?<![$\\])\$(?!\$)[^$\n]+\$(?!\$)"
    pair = re.compile(rf"(\({formula}[,.;:!?)]*|{formula}[,.;:!?)]+)")
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
    """Lets what is wider than the page scroll by itself: a table, or the box that it
    brought for that."""
    for table in soup.find_all("table"):
        if table.find_parent("table"):
            continue
        box = table.parent
        if box.name == "div" and "overflow" in box.get("style", "") and len(box.find_all(True, recursive=False)) == 1:
            box["class"] = "scroll"
        else:
            table.wrap(soup.new_tag("div", attrs={"class": "scroll"}))


def fold_setup(soup, nb, cells):
    """Folds code cells that only prepare: in Go, without outputs and types (a network
    is to be read)."""
    for tag in soup.find_all("div", class_="cell", recursive=False):
        cell, code = nb.cells[cells[id(tag)]], tag.find("div", class_="input", recursive=False)
        if cell.cell_type != "code" or code is None or cell.outputs or re.search(r"(?m)^type ", cell.source):
            continue
        fold, title = soup.new_tag("details", attrs={"class": "setup"}), soup.new_tag("summary")
        title.string = f"Set-up: {len(cell.source.splitlines())} lines of code"
        code.wrap(fold)
        fold.insert(0, title)


def wrap_sentences(soup):
    """Lets long sentences that a cell printed wrap, where tables keep their lines:
    those have columns, with more than one space between."""
    for pre in soup.select(".output_stdout pre"):
        if pre.find(True):
            continue  # colored by the program
        lines = pre.get_text().splitlines(keepends=True)
        pre.clear()
        for line in lines:
            if len(line) > 36 and "  " not in line.strip():
                span = soup.new_tag("span", attrs={"class": "sentence"})
                span.string = line
                pre.append(span)
            else:
                pre.append(line)


def printable(text):
    """Returns a text without what steers a terminal."""
    text = re.sub(r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)?", "", text)
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "", text)


def shown_metadata(metadata):
    """Returns what the page uses of an output's metadata: sizes and descriptions."""
    kept = {k: v for k, v in metadata.items() if k in ("width", "height") and type(v) in (int, float) or k == "alt" and type(v) is str}
    return kept | {k: shown_metadata(v) for k, v in metadata.items() if k.startswith("image/") and isinstance(v, dict)}


def prepare(nb):
    """Leaves in a notebook what pages are made of. Returns what they do not have."""
    left_out = set()
    for at, cell in enumerate(nb.cells):
        if not re.fullmatch(r"[\w-]{1,64}", str(cell.get("id", "")), re.ASCII):
            cell.pop("id", None)
        cell.metadata = {"at": at} | {k: v for k, v in cell.metadata.items() if k in ("alt", "raw_mimetype") and type(v) is str}
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.name = "stderr" if output.name == "stderr" else "stdout"
            if "data" not in output:
                continue
            output.metadata = shown_metadata(output.metadata)
            if "image/gif" in output.data and "text/html" not in output.data:
                source = "".join(output.data["image/gif"]).strip()
                output.data["text/html"] = f'<img src="data:image/gif;base64,{html.escape(source)}">'
            if output.data and not set(output.data) & set(exporter.config.NbConvertBase.display_data_priority):
                left_out |= set(output.data)
    return left_out


def read(text):
    """Returns a notebook in the format that pages are made of."""
    try:
        nb = nbformat.reads(text, as_version=4)
        nbformat.validate(nb)
    except Exception as err:  # whatever it was, whoever started us has to name it
        why = str(err).strip().splitlines() or [type(err).__name__]
        raise Refused(None, f"it is not as the notebook format wants it ({why[0]}): open it in JupyterLab and save it") from None
    return nb


def has_formulas(soup):
    """Says whether a page has text that MathJax would set."""
    verbatim = ["pre", "code", "script", "style", "textarea"]
    marks = soup.find_all(string=re.compile(r"\$|\\\(|\\\[|\\begin\{"))
    return any(text.find_parent(verbatim) is None for text in marks)


def convert(notebook, published):
    nb = read(notebook["notebook"])
    exporter.left_out = prepare(nb)
    info, spec = nb.metadata.get("language_info", {}), nb.metadata.get("kernelspec", {})
    language = info.get("pygments_lexer") or info.get("name") or spec.get("language") or "go"
    nb.metadata = nbformat.from_dict({"language_info": {"name": language, "pygments_lexer": language}})
    page, _ = exporter.from_notebook_node(nb)
    soup = BeautifulSoup(page, "html.parser")
    shown = [i for i, cell in enumerate(nb.cells) if cell.cell_type != "raw"]
    cells = {id(tag): i for tag, i in zip(soup.find_all("div", class_="cell", recursive=False), shown)}
    headings = name_headings(soup)
    link_pages(soup, notebook["path"], published)
    figures = take_figures(soup, nb, published[unicodedata.normalize("NFC", notebook["path"])], cells)
    keep_together(soup)
    let_scroll(soup)
    if language == "go":
        fold_setup(soup, nb, cells)
    wrap_sentences(soup)
    mathjax = next(f for f in files("sphinx-mathjax-offline") if f.name == "tex-svg-full.js")
    return {
        "body": whole.clean(printable(str(soup))),
        "headings": headings,
        "figures": figures,
        "formulas": has_formulas(soup),
        "mathjax": str(mathjax.locate()),
        "left_out": sorted({name[:60] for name in exporter.left_out})[:20],
    }


# What one page takes: seconds of a processor, where ours take one here and a few on a
# slow machine, and bytes of memory.
# Readers of Markdown can be kept busy for hours by a few bytes.
MOST = 10
MEMORY = 400 << 20
TOO_MUCH = "its text or outputs are nested too deeply or too long, or pictures within them too large: save these as files, or make two notebooks of it"


class OutOfTime(BaseException):  # libraries catch every Exception
    pass


def give_up(signum, frame):
    raise OutOfTime


def answer(notebook, published):
    try:
        signal.setitimer(signal.ITIMER_PROF, MOST, 1)
        try:
            return convert(notebook, published)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except OutOfTime:
        return {"error": f"its page is not made after {MOST} s of work: {TOO_MUCH}", "cell": None}
    except Refused as err:
        return {"error": str(err), "cell": err.cell}
    except (MemoryError, RecursionError) as err:
        return {"error": f"no page can be made of it ({type(err).__name__}): {TOO_MUCH}", "cell": None}
    except Exception as err:
        return {"error": f"no page can be made of it ({type(err).__name__}: {str(err)[:200]})", "cell": None}


hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
resource.setrlimit(resource.RLIMIT_DATA, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))
signal.signal(signal.SIGPROF, give_up)
published = {unicodedata.normalize("NFC", path): name for path, name in json.loads(sys.stdin.readline()).items()}
for line in sys.stdin:
    json.dump(answer(json.loads(line), published), sys.stdout)
    print(flush=True)
