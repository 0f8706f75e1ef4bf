"""The answer grader: two verdicts for every sample, never a hang, nothing executed.

grade(gold, response, benchmark) judges one response in this process; grade_many judges many in
worker processes with hard limits; `python -m rectify.grade IN.jsonl OUT.jsonl` judges a file.
"""

from rectify.grade.pool import grade_many
from rectify.grade.verdict import Verdict, grade

__all__ = ["Verdict", "grade", "grade_many"]
