"""The commands of maskmill: command line, parameters, the graph, publishing, and what is done with a dataset."""
