"""The documentation's build: sphinx-build -W -b html docs OUT (extra docs)."""

import importlib.util
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_semisis

project = "keras_semisis"
version = release = keras_semisis.__version__
html_title = f"keras_semisis {version}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "sphinx-mathjax-offline"]

html_theme = "furo"

# the pages are plain Markdown, which repositories show as well
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# `name` in a docstring is a name of Python's, and a link where it is a public one
default_role = "py:obj"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
autodoc_mock_imports = [] if importlib.util.find_spec("apache_beam") else ["apache_beam"]
autodoc_default_options = {"members": True, "show-inheritance": True}
python_use_unqualified_type_names = True
maximum_signature_line_length = 100
napoleon_custom_sections = [(name, "params_style") for name in ("Call arguments", "Input shape", "Output shape")]
# fields of named tuples stand in their own right
napoleon_use_ivar = True
# a name in a docstring that several classes have
suppress_warnings = ["ref.python"]
