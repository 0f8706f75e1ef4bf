"""The grader, for anybody's rows: two verdicts for every sample, never a hang; nothing of a
response is executed.

    grade          * rows of JSON lines
    verdict        one sample: what it answers, and both verdicts on that
    alarm          by processor time
    pool           many samples, in processes with limits
    serve          for another program, as long as it likes: online learning
    graders        by name: mathematics, exact, choice, or a function of your own
    judges         the verdicts of the last three
    plain          texts that are the same but for spelling
    choice         the letter that a response commits to
    boxed          the answer that a response commits to
    statuses       how grading can end, counted
    disagreements  where the two verdicts differ, counted
    notation/      from text to text: one spelling
    answers/       from text to value
    formulas/      from LaTeX to a tree, and to its value
    equality/      from value to value: is it the gold
    harness/       the published harness's rules

* a step: rectify STEP
"""
