# Answers: every benchmark in one job per model, every checkpoint of a learning curve in one.


rule decode_benchmarks:
    input:
        code=code_files("decode"),
        model=f"{RESULTS}/models/{{model}}/{{run}}",
        benchmarks=benchmark_files(),
        checked=f"{RESULTS}/checks/{{model}}/{{run}}",
    output:
        f"{RESULTS}/samples/{{model}}/{{run}}{{part}}.parquet",
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
        settings=settings("decode_benchmarks", "model"),
        part=part_of,
    shell:
        "python -m rectify decode --settings {params.settings:q} --model {input.model}"
        " --benchmarks {input.benchmarks} --part {params.part} --out {output} > {log} 2>&1"


# a base model's own answers to the training questions
use rule decode_benchmarks as decode_questions with:
    input:
        code=code_files("decode"),
        model=f"{RESULTS}/models/{{model}}/{{base}}",
        benchmarks=f"{RESULTS}/data/questions.parquet",
        checked=f"{RESULTS}/checks/{{model}}/{{base}}",
    output:
        f"{RESULTS}/self/{{model}}/{{base}}/samples{{part}}.parquet",
    log:
        f"logs/decode_questions/{STUDY.study}/{{model}}/{{base}}{{part}}.log",
    benchmark:
        f"benchmarks/decode_questions/{STUDY.study}/{{model}}/{{base}}{{part}}.tsv"
    params:
        settings=settings("decode_questions", "model"),
        part=part_of,


rule decode_checkpoints:
    input:
        code=code_files("decode"),
        model=f"{RESULTS}/models/{{model}}/{{run}}",
        benchmarks=benchmark_files(),
    output:
        f"{RESULTS}/samples/{{model}}/{{run}}-checkpoints{{part}}.parquet",
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
        settings=settings("decode_benchmarks", "model"),
        part=part_of,
    shell:
        "python -m rectify decode --settings {params.settings:q} --model {input.model} --checkpoints"
        " --benchmarks {input.benchmarks} --part {params.part} --out {output} > {log} 2>&1"
