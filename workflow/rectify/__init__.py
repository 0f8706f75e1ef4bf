"""rectify: the DFT paper (arXiv 2508.05629) as a pipeline, one module per step of the DAG."""

import warnings

# TRL says this at every import: the locks' vLLM is newer than those that it names. It is set here,
# where it comes before TRL in every step. Only GRPO on GPUs has TRL use vLLM, and README.md says
# what has been run of that
warnings.filterwarnings("ignore", message="TRL currently supports vLLM versions")
