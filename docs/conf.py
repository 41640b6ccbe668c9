"""The documentation's build: sphinx-build -W -b html docs OUT (extra docs)."""

import importlib.util
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from sphinx.util import inspect

import keras_semisis

project = "keras_semisis"
version = release = keras_semisis.__version__
html_title = f"keras_semisis {version}"
html_show_copyright = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "sphinx-mathjax-offline"]

html_theme = "furo"
highlight_language = "none"  # of blocks without one, which are command lines

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


def signature_of_init(app, what, name, obj, options, signature, returns):
    """Of a layer or model that which it defines: Keras's `__new__` takes anything."""
    if what == "class" and signature == "(*args, **kwargs)":
        signature = inspect.stringify_signature(
            inspect.signature(obj.__init__, bound_method=True), show_return_annotation=False, unqualified_typehints=True
        )
    return signature, returns


def shapes_apart(app, what, name, obj, options, lines):
    """The shape of the output in a line of its own, also where that of the input has several."""
    for number in reversed(range(1, len(lines))):
        if lines[number].lstrip().startswith("Output shape: ") and lines[number - 1].strip():
            lines.insert(number, "")


def link_from_the_top(app, env, node, content):
    """`models.features` in a docstring is `keras_semisis.models.features`."""
    if node.get("refdomain") != "py":
        return None
    target = f"keras_semisis.{node['reftarget']}"
    return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, content)


def setup(app):
    app.connect("autodoc-process-signature", signature_of_init)
    app.connect("autodoc-process-docstring", shapes_apart, priority=400)  # before napoleon
    app.connect("missing-reference", link_from_the_top)
