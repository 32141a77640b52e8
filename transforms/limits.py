"""Limits the size of elements that cross a shuffle."""

# Of the part of an element that grows with the input; the whole element, encoded, stays below 1 MB. Shuffles are not
# made for large values: Flink sorts them in memory that its tasks share.
MAX_ELEMENT_BYTES = 900_000
# No file system or object store allows longer names.
MAX_NAME_BYTES = 1024
