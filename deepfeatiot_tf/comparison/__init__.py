"""Systems against each other: the grid of cells, ablations, transfer between data sets, and what the tables say."""
