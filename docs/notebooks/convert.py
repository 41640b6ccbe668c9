"""Writes the notebooks from their pages: `python docs/notebooks/convert.py`.

A page is Markdown; its blocks of Python are the cells, and the first cell installs what the others need.
"""

from pathlib import Path

import jupytext
import nbformat

FOLDER = Path(__file__).parent
# of a checkout, in whose docs/notebooks the notebook lies; not -e, which a kernel that runs does not see
INSTALL = '%pip install --quiet "../..[tensorflow,offline]"'
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook_of(page: Path) -> str:
    """The text of a page's notebook."""
    text = page.read_text(encoding="utf-8").replace(f"([As a notebook]({page.stem}.ipynb).)", "")
    notebook = jupytext.reads(text, fmt="md")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.cells = [nbformat.v4.new_code_cell(INSTALL), *notebook.cells]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        cell.metadata = {}
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def pages() -> list[Path]:
    """The pages that are notebooks."""
    return sorted(FOLDER.glob("*.md"))


if __name__ == "__main__":
    for page in pages():
        page.with_suffix(".ipynb").write_text(notebook_of(page), encoding="utf-8")
        print(page.with_suffix(".ipynb"))
