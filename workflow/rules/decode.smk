# Answers: every benchmark in one job per model, every checkpoint of a learning curve in one.


rule decode_benchmarks:
    input:
        code=sources("decode"),
        model=f"{RESULTS}/models/{{model}}/{{run}}",
        benchmarks=benchmark_files(),
        checked=ancient(f"{RESULTS}/checks/.checked"),
    output:
        f"{RESULTS}/samples/{{model}}/{{run}}.parquet",
    log:
        f"logs/decode_benchmarks/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/decode_benchmarks/{STUDY.study}/{{model}}/{{run}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("decode", "model"),
    shell:
        "python -m rectify.decode --settings {params.settings:q} --model {input.model}"
        " --benchmarks {input.benchmarks} --out {output} > {log} 2>&1"


rule decode_checkpoints:
    input:
        code=sources("decode"),
        model=f"{RESULTS}/models/{{model}}/{{run}}",
        benchmarks=benchmark_files(),
    output:
        f"{RESULTS}/samples/{{model}}/{{run}}-checkpoints.parquet",
    log:
        f"logs/decode_checkpoints/{STUDY.study}/{{model}}/{{run}}.log",
    benchmark:
        f"benchmarks/decode_checkpoints/{STUDY.study}/{{model}}/{{run}}.tsv"
    wildcard_constraints:
        run=TRAINED,
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("decode", "model"),
    shell:
        "python -m rectify.decode --settings {params.settings:q} --model {input.model} --checkpoints"
        " --benchmarks {input.benchmarks} --out {output} > {log} 2>&1"
