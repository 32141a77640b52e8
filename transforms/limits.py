"""Limits the size of lines, names, and elements that cross a shuffle."""

# Of the part of an element that grows with the input; the whole element, encoded, stays below 1 MB. Shuffles are not
# made for large values: Flink sorts them in memory that its tasks share.
MAX_ELEMENT_BYTES = 900_000
# No file system or object store allows longer names.
MAX_NAME_BYTES = 1024
# A longer line of a CSV file is rejected; no step holds all of it.
MAX_LINE_BYTES = 2**24
