"""Rows: where they come from, and what is made of them before and after a base model answers.

    sample_rows     * rows of a source: pretraining text, training data, a benchmark
    find_overlaps   * problems that training rows share
    list_questions  * training questions that have an answer to grade by
    keep_answers    * a model's own graded answers as training sets
    source          the synthetic world, a file, the hub
    world           arithmetic in words, with experts who are always right
    row_files       JSONL, JSON, CSV, Parquet, local or remote
    fields          text, numbers and gold answers in a row's fields
    conversations   chats as rows: an answer, and the turns before it
    mixing          other rows among those that are trained on
    rows            what sample_rows has written, read

* a step: rectify STEP
"""
