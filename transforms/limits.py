"""How large an element may be that crosses a shuffle."""

# Of the part of an element that grows with the input: its encoding, with names, paths and numbers, stays below 1 MB. A
# shuffle is no way for large values: Flink sorts them in memory that its tasks share.
MAX_ELEMENT_BYTES = 900_000
# No file system or store has longer names.
MAX_NAME_BYTES = 1024
