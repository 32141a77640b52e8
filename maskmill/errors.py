"""Defines the error of reading a dataset."""


class DatasetError(Exception):
    """There is no such dataset, or it is not whole; the message says what is wrong, and what to do."""
