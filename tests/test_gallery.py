"""The gallery notebook runs as it stands, and every cell that should shows a picture."""

import io
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from PIL import Image

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_gallery_runs_and_shows_pictures():
    notebook = nbformat.read(EXAMPLES / "gallery.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    data = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    pictures = [
        np.asarray(Image.open(io.BytesIO(b64decode(each["image/png"])))) for each in data if "image/png" in each
    ]
    assert [picture.shape for picture in pictures] == [(256, 256, 3)] * 3 + [(96, 288, 3)] * 2 + [(256, 256, 3)]
    assert all(picture.std() > 3 for picture in pictures)
    assert sum("application/vnd.jupyter.widget-view+json" in each for each in data) == 1
