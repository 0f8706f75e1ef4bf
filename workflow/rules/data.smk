# Rows: pretraining text, training data, benchmark problems.


rule sample_rows:
    input:
        file=row_files,
        mixed=mixed_rows,
    output:
        rows=paths.rows(STUDY, "{rows}"),
        counts=paths.row_counts(STUDY, "{rows}"),
    log:
        f"logs/sample_rows/{STUDY.study}/{{rows}}.log",
    benchmark:
        f"benchmarks/sample_rows/{STUDY.study}/{{rows}}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("sample_rows"),
        settings=settings("sample_rows", "rows"),
        data_dir=data_dir,
        mixed=mixed_option,
    shell:
        "python -m rectify sample_rows --settings {params.settings} --data-dir {params.data_dir:q}"
        "{params.mixed} --out {output.rows} --counts {output.counts} > {log} 2>&1"


rule find_overlaps:
    input:
        rows=paths.rows(STUDY, "training"),
        benchmarks=benchmark_files(),
    output:
        paths.overlaps(STUDY),
    log:
        f"logs/find_overlaps/{STUDY.study}.log",
    benchmark:
        f"benchmarks/find_overlaps/{STUDY.study}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("find_overlaps"),
    shell:
        "python -m rectify find_overlaps --rows {input.rows} --benchmarks {input.benchmarks}"
        " --out {output} > {log} 2>&1"


# problems by which a learning rate is chosen are to be found nowhere else
use rule find_overlaps as find_validation_overlaps with:
    input:
        rows=[paths.rows(STUDY, "training"), *benchmark_files()],
        benchmarks=benchmark_files("validation"),
    output:
        paths.validation_overlaps(STUDY),
    log:
        f"logs/find_validation_overlaps/{STUDY.study}.log",
    benchmark:
        f"benchmarks/find_validation_overlaps/{STUDY.study}.tsv"


# For methods that learn from the model's own answers: the questions, and the answers that are kept.


rule list_questions:
    input:
        rows=paths.rows(STUDY, "training"),
    output:
        questions=paths.rows(STUDY, "questions"),
        counts=paths.row_counts(STUDY, "questions"),
    log:
        f"logs/list_questions/{STUDY.study}.log",
    benchmark:
        f"benchmarks/list_questions/{STUDY.study}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("list_questions"),
        limit=question_limit,
    shell:
        "python -m rectify list_questions --rows {input.rows} {params.limit}"
        " --out {output.questions} --counts {output.counts} > {log} 2>&1"


rule keep_answers:
    input:
        questions=paths.rows(STUDY, "questions"),
        samples=answer_files,
        scores=paths.own_answers(STUDY, "{model}", "{base}", "scores.parquet"),
    output:
        correct=paths.own_answers(STUDY, "{model}", "{base}", "correct.parquet"),
        pairs=paths.own_answers(STUDY, "{model}", "{base}", "pairs.parquet"),
        answers=paths.own_answers(STUDY, "{model}", "{base}", "answers.parquet"),
        counts=paths.own_answers(STUDY, "{model}", "{base}", "counts.json"),
    log:
        f"logs/keep_answers/{STUDY.study}/{{model}}/{{base}}.log",
    benchmark:
        f"benchmarks/keep_answers/{STUDY.study}/{{model}}/{{base}}.tsv"
    conda:
        ENVIRONMENT
    params:
        code=code_sha256("keep_answers"),
        settings=settings("keep_answers"),
    shell:
        "python -m rectify keep_answers --settings {params.settings}"
        " --questions {input.questions} --samples {input.samples} --scores {input.scores}"
        " --correct {output.correct} --pairs {output.pairs} --answers {output.answers}"
        " --counts {output.counts} > {log} 2>&1"
