"""rectify: the DFT paper (arXiv 2508.05629) as a pipeline, one module per step of the DAG."""
