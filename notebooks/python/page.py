"""Turns one executed notebook into the parts of a page.

    python page.py NOTEBOOK FOLDER

FOLDER is where the notebook's pictures are, if it shows files. Writes JSON to standard output: the notebook's body as HTML with its images
inline, the syntax colours for a light and a dark page, and where MathJax lies.
"""

import base64
import json
import mimetypes
import re
import sys
from importlib.metadata import files
from pathlib import Path
from urllib.parse import unquote

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

nb = nbformat.read(sys.argv[1], as_version=4)

# An image's description, for those who do not see it: the heading it stands under.
heading, figures = "", 0
for cell in nb.cells:
    if cell.cell_type == "markdown":
        for title in re.findall(r"^#{1,6}\s+(.+)$", cell.source, re.M):
            heading, figures = title.strip().replace("`", "").replace("$", ""), 0
    for output in cell.get("outputs", []):
        if "image/png" in output.get("data", {}):
            figures += 1
            described = output.setdefault("metadata", {}).setdefault("image/png", {})
            described.setdefault("alt", f"Figure {figures} of “{heading}”" if heading else f"Figure {figures}")

exporter = HTMLExporter(
    template_name="basic",
    config=Config({"HTMLExporter": {"exclude_input_prompt": True, "exclude_output_prompt": True}}),
)
nb.metadata.setdefault("language_info", {})["pygments_lexer"] = "go"
body, _ = exporter.from_notebook_node(nb)


def inside(match):
    """Puts a picture that lies beside the notebook into the page.

    The exporter can, but then loses what stands in tags like <kbd>.
    """
    picture = Path(sys.argv[2], unquote(match[2]))
    kind = mimetypes.guess_type(picture.name)[0]
    return f'{match[1]}data:{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}'


body = re.sub(r'(<img[^>]*?src=")(?!data:|https?:)([^"]+)', inside, body)

mathjax = next(f for f in files("sphinx-mathjax-offline") if f.name == "tex-svg-full.js")
json.dump(
    {
        "body": body,
        "light": HtmlFormatter(style="default").get_style_defs(".highlight"),
        "dark": HtmlFormatter(style="github-dark").get_style_defs(".highlight"),
        "mathjax": str(mathjax.locate()),
    },
    sys.stdout,
)
