"""rectify: the DFT paper (arXiv 2508.05629) as a pipeline; its steps, in the pipeline's order.

A step is a module in a room, started as `rectify STEP` (or `python -m rectify STEP`). Each has
`parser()`, its command line, and `main(arguments)`, what it does.
"""

STEPS = {  # and the room of each
    "study": "study",
    "show_settings": "jobs",
    "verify": "jobs",
    "plan": "planning",
    "doctor": "planning",
    "sample_rows": "data",
    "find_overlaps": "data",
    "list_questions": "data",
    "keep_answers": "data",
    "initialise_model": "models",
    "fetch_model": "models",
    "check_model": "models",
    "launch": "training",
    "train": "training",
    "dpo": "rl",
    "grpo": "rl",
    "ppo": "rl",
    "decode": "evaluation",
    "score": "evaluation",
    "measure_probabilities": "evaluation",
    "grade": "grading",
    "summarise_scores": "statistics",
    "audit": "paper",
    "judge_claims": "paper",
    "plot_figure": "paper",
    "tabulate_scores": "report.tables",
    "tabulate_overlaps": "report.tables",
    "list_disagreements": "report.tables",
    "render_report": "report.page",
    "trace": "provenance",
    "compare": "provenance",
    "write_cards": "sharing",
    "publish": "sharing",
    "bundle": "sharing",
    "snapshot": "sharing",
    "keep_bases": "sharing",
}
