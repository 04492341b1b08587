"""Makes the notebook of each named percent script afresh: executed, with its outputs, without what is said on stderr.

python notebooks/execute.py notebooks/02_train.py [...]
"""

import sys
from pathlib import Path

import jupytext
from nbclient import NotebookClient

for path in map(Path, sys.argv[1:]):
    notebook = jupytext.read(path)
    NotebookClient(notebook, resources={"metadata": {"path": path.parent}}).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"  # else each run makes up new ones, which fills the diff
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            cell.metadata.pop("execution", None)
    jupytext.write(notebook, path.with_suffix(".ipynb"))
    print(path.with_suffix(".ipynb"))
