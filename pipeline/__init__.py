"""A job: command line, parameters, the graph, publishing."""

__version__ = "0.1.0"
