"""Reads finished datasets, those of maskmill and those of create_hdf5_files.py; needs NumPy and h5py, and no more.

from maskmill import open_dataset

examples = open_dataset("severstal_hdf5", split="train_input")
image, label, image_id = examples[0]
"""

from maskmill.dataset import Batch, Dataset, Example, open_dataset
from maskmill.errors import DatasetError

__all__ = ["Batch", "Dataset", "DatasetError", "Example", "open_dataset"]
