"""rectify: the DFT paper (arXiv 2508.05629) as a pipeline, one module per step of the DAG."""

import gc
import sys
import warnings

# Collections of what imports leave for good would be a fifth of a step's start: in `python -m
# rectify.STEP`, whose name Python is resolving now, there are none until `run_step` allows them
if sys.argv[:1] == ["-m"]:
    gc.disable()

# TRL says this at every import: the locks' vLLM is newer than those that it names. It is set here,
# where it comes before TRL in every step. Only GRPO on GPUs has TRL use vLLM, and README.md says
# what has been run of that
warnings.filterwarnings("ignore", message="TRL currently supports vLLM versions")
