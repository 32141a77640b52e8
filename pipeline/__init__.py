"""A job: command line, parameters, the graph, publishing."""
