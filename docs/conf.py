"""How the documentation is built: `sphinx-build -W -b html docs docs/_build`."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "jacobians"
author = "the jacobians authors"
copyright = "the jacobians authors, MIT licence"
release = version = installed("jacobians")

extensions = ["myst_parser", "sphinx.ext.autodoc", "generated"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
suppress_warnings: list[str] = []

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
default_role = "code"

html_theme = "furo"
html_title = "jacobians"
html_static_path = ["_static"]
html_css_files = ["page.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"font-stack--monospace": "'DejaVu Sans Mono', Menlo, Consolas, monospace"},
    "dark_css_variables": {"font-stack--monospace": "'DejaVu Sans Mono', Menlo, Consolas, monospace"},
}
