"""Data sets as integers: built-in ones by name, or the images, arrays and tables a user has.

Nothing is downloaded, and no other program is started. What cannot be understood raises DataError,
one line with the rule and the way out.
"""

from model.data.builtin import BUILT_IN, FASHION_FOLDER, FASHION_VARIABLE
from model.data.dataset import Dataset, check_count, stratified, validation_split
from model.data.limits import DataError
from model.data.load import from_arrays, load
from model.data.scaling import InputScaling

__all__ = [
    "BUILT_IN", "FASHION_FOLDER", "FASHION_VARIABLE", "DataError", "Dataset", "InputScaling",
    "check_count", "from_arrays", "load", "stratified", "validation_split",
]  # fmt: skip
