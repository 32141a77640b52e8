"""Implements the commands of maskmill: command line, parameters, the graph, publishing, and checks of a dataset."""
