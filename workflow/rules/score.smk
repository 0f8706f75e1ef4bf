# Verdicts on the answers, and probabilities of the training tokens.


rule score_samples:
    input:
        code=code_files("score"),
        samples=sample_files,
        benchmarks=benchmark_files(),
    output:
        f"{RESULTS}/scores/{{model}}/{{decoded}}.parquet",
    log:
        f"logs/score_samples/{STUDY.study}/{{model}}/{{decoded}}.log",
    benchmark:
        f"benchmarks/score_samples/{STUDY.study}/{{model}}/{{decoded}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    shell:
        "python -m rectify score --samples {input.samples} --benchmarks {input.benchmarks}"
        " --workers {threads} --out {output} > {log} 2>&1"


use rule score_samples as score_questions with:
    input:
        code=code_files("score"),
        samples=answer_files,
        benchmarks=f"{RESULTS}/data/questions.parquet",
    output:
        f"{RESULTS}/self/{{model}}/{{base}}/scores.parquet",
    log:
        f"logs/score_questions/{STUDY.study}/{{model}}/{{base}}.log",
    benchmark:
        f"benchmarks/score_questions/{STUDY.study}/{{model}}/{{base}}.tsv"


rule measure_probabilities:
    input:
        code=code_files("measure_probabilities"),
        model=f"{RESULTS}/models/{{model}}/{{run}}",
        rows=f"{RESULTS}/data/training.parquet",
    output:
        f"{RESULTS}/histograms/{{model}}/{{run}}.parquet",
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
        settings=settings("measure_probabilities", "model"),
    shell:
        "python -m rectify measure_probabilities --settings {params.settings:q} --rows {input.rows}"
        " --model {input.model} --out {output} > {log} 2>&1"


if STUDY.tables:

    rule list_disagreements:
        input:
            code=code_files("list_disagreements"),
            scores=layouts.scores_tabled(STUDY),
            benchmarks=benchmark_files(),
        output:
            csv=f"{RESULTS}/tables/disagreements.csv",
            md=f"{RESULTS}/tables/disagreements.md",
        log:
            f"logs/list_disagreements/{STUDY.study}.log",
        benchmark:
            f"benchmarks/list_disagreements/{STUDY.study}.tsv"
        conda:
            ENVIRONMENT
        params:
            out=subpath(output.csv, strip_suffix=".csv"),
        shell:
            "python -m rectify list_disagreements --scores {input.scores} --benchmarks {input.benchmarks}"
            " --out {params.out} > {log} 2>&1"
