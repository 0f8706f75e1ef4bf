# Answers (every benchmark in one job per model, every checkpoint of a learning curve in one), their
# verdicts, probabilities of the training tokens, and weights of the training rows.


rule decode_benchmarks:
    input:
        model=paths.model(STUDY, "{model}", "{run}"),
        benchmarks=benchmark_files(),
        checked=gate_of_base,
    output:
        paths.samples(STUDY, "{model}", "{run}", "{part}"),
    log:
        f"logs/decode_benchmarks/{STUDY.study}/{{model}}/{{run}}{{part}}.log",
    benchmark:
        f"benchmarks/decode_benchmarks/{STUDY.study}/{{model}}/{{run}}{{part}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        tasks_per_gpu=0,
    params:
        code=code_sha256("decode"),
        settings=settings("decode_benchmarks", "model"),
        part=part_of,
    shell:
        "python -m rectify decode --settings {params.settings} --model {input.model}"
        " --benchmarks {input.benchmarks} --part {params.part} --out {output} > {log} 2>&1"


use rule decode_benchmarks as decode_validation with:
    input:
        model=paths.model(STUDY, "{model}", "{run}"),
        benchmarks=benchmark_files("validation"),
    output:
        paths.samples(STUDY, "{model}", "{run}-validation", "{part}"),
    log:
        f"logs/decode_validation/{STUDY.study}/{{model}}/{{run}}{{part}}.log",
    benchmark:
        f"benchmarks/decode_validation/{STUDY.study}/{{model}}/{{run}}{{part}}.tsv"
    wildcard_constraints:
        run=TRAINED,


use rule decode_benchmarks as decode_retention with:
    input:
        model=paths.model(STUDY, "{model}", "{run}"),
        benchmarks=benchmark_files("retention"),
        checked=gate_of_base,
    output:
        paths.samples(STUDY, "{model}", "{run}-retention", "{part}"),
    log:
        f"logs/decode_retention/{STUDY.study}/{{model}}/{{run}}{{part}}.log",
    benchmark:
        f"benchmarks/decode_retention/{STUDY.study}/{{model}}/{{run}}{{part}}.tsv"


# a base model's own answers to the training questions
use rule decode_benchmarks as decode_questions with:
    input:
        model=paths.model(STUDY, "{model}", "{base}"),
        benchmarks=paths.rows(STUDY, "questions"),
        checked=paths.gate(STUDY, "{model}", "{base}"),
    output:
        paths.own_answers(STUDY, "{model}", "{base}", "samples{part}.parquet"),
    log:
        f"logs/decode_questions/{STUDY.study}/{{model}}/{{base}}{{part}}.log",
    benchmark:
        f"benchmarks/decode_questions/{STUDY.study}/{{model}}/{{base}}{{part}}.tsv"
    params:
        code=code_sha256("decode"),
        settings=settings("decode_questions", "model"),
        part=part_of,


rule decode_checkpoints:
    input:
        model=paths.model(STUDY, "{model}", "{run}"),
        benchmarks=benchmark_files(),
    output:
        paths.samples(STUDY, "{model}", "{run}-checkpoints", "{part}"),
    log:
        f"logs/decode_checkpoints/{STUDY.study}/{{model}}/{{run}}{{part}}.log",
    benchmark:
        f"benchmarks/decode_checkpoints/{STUDY.study}/{{model}}/{{run}}{{part}}.tsv"
    wildcard_constraints:
        run=TRAINED,
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        tasks_per_gpu=0,
    params:
        code=code_sha256("decode"),
        settings=settings("decode_benchmarks", "model"),
        part=part_of,
    shell:
        "python -m rectify decode --settings {params.settings} --model {input.model} --checkpoints"
        " --benchmarks {input.benchmarks} --part {params.part} --out {output} > {log} 2>&1"


rule score_samples:
    input:
        samples=sample_files,
        benchmarks=scored_problems,
        graders=scored_files,
    output:
        paths.scores(STUDY, "{model}", "{decoded}"),
    log:
        f"logs/score_samples/{STUDY.study}/{{model}}/{{decoded}}.log",
    benchmark:
        f"benchmarks/score_samples/{STUDY.study}/{{model}}/{{decoded}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    params:
        code=code_sha256("score"),
        graders=scored_graders,
    shell:
        "python -m rectify score --samples {input.samples} --benchmarks {input.benchmarks}"
        " {params.graders:q} --workers {threads} --out {output} > {log} 2>&1"


use rule score_samples as score_questions with:
    input:
        samples=answer_files,
        benchmarks=paths.rows(STUDY, "questions"),
    output:
        paths.own_answers(STUDY, "{model}", "{base}", "scores.parquet"),
    log:
        f"logs/score_questions/{STUDY.study}/{{model}}/{{base}}.log",
    benchmark:
        f"benchmarks/score_questions/{STUDY.study}/{{model}}/{{base}}.tsv"
    params:
        graders=[],


rule measure_probabilities:
    input:
        model=paths.model(STUDY, "{model}", "{run}"),
        rows=paths.rows(STUDY, "training"),
    output:
        paths.histogram(STUDY, "{model}", "{run}"),
    log:
        f"logs/measure_probabilities/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/measure_probabilities/{STUDY.study}/{{model}}/{{run}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        tasks_per_gpu=0,
    params:
        code=code_sha256("measure_probabilities"),
        settings=settings("measure_probabilities", "model"),
    shell:
        "python -m rectify measure_probabilities --settings {params.settings} --rows {input.rows}"
        " --model {input.model} --out {output} > {log} 2>&1"


rule measure_divergence:
    input:
        rows=paths.rows(STUDY, "retention"),
        model=paths.model(STUDY, "{model}", "{run}"),
        base=base_of_run,
    output:
        paths.divergence(STUDY, "{model}", "{run}"),
    log:
        f"logs/measure_divergence/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/measure_divergence/{STUDY.study}/{{model}}/{{run}}.tsv"
    wildcard_constraints:
        run=TRAINED,
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        tasks_per_gpu=0,
    params:
        code=code_sha256("measure_divergence"),
        settings=settings("measure_divergence", "model"),
    shell:
        "python -m rectify measure_divergence --settings {params.settings} --rows {input.rows}"
        " --model {input.model} --base {input.base} --out {output} > {log} 2>&1"


# what a base model knows of the training rows; of several, the first
rule precheck:
    input:
        model=first_base,
        rows=paths.rows(STUDY, "training"),
        overlaps=paths.overlaps(STUDY),
        checked=gate_of_first_base,
    output:
        json=paths.precheck(STUDY, "{model}"),
        md=paths.precheck(STUDY, "{model}", "md"),
    log:
        f"logs/precheck/{STUDY.study}/{{model}}.log",
    benchmark:
        f"benchmarks/precheck/{STUDY.study}/{{model}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        tasks_per_gpu=0,
    params:
        code=code_sha256("precheck"),
        settings=settings("precheck", "model"),
        out=subpath(output.json, strip_suffix=".json"),
    shell:
        "python -m rectify precheck --settings {params.settings} --model {input.model}"
        " --rows {input.rows} --overlaps {input.overlaps} --out {params.out} > {log} 2>&1"


rule weigh_rows:
    input:
        objective=own_objective,
        model=paths.model(STUDY, "{model}", "{run}"),
        rows=run_rows,
        reference=compared_with,
    output:
        rows=paths.row_weights(STUDY, "{model}", "{run}", "parquet"),
        csv=paths.row_weights(STUDY, "{model}", "{run}"),
        md=paths.row_weights(STUDY, "{model}", "{run}", "md"),
    log:
        f"logs/weigh_rows/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/weigh_rows/{STUDY.study}/{{model}}/{{run}}.tsv"
    wildcard_constraints:
        run=TRAINED,
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=GPU,
        tasks_per_gpu=0,
    params:
        code=code_sha256("weigh_rows"),
        settings=training_settings,
        out=subpath(output.csv, strip_suffix=".csv"),
    shell:
        "python -m rectify weigh_rows --settings {params.settings} --rows {input.rows}"
        " --model {input.model} --reference {input.reference} --out {params.out} > {log} 2>&1"
