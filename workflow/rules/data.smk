# Rows: pretraining text, training data, benchmark problems.


rule sample_rows:
    input:
        code=sources("sample"),
        file=row_file,
    output:
        rows=f"{RESULTS}/data/{{rows}}.parquet",
        counts=f"{RESULTS}/data/{{rows}}.json",
    log:
        f"logs/sample_rows/{STUDY.study}/{{rows}}.log",
    benchmark:
        f"benchmarks/sample_rows/{STUDY.study}/{{rows}}.tsv"
    conda:
        ENVIRONMENT
    params:
        settings=settings("sample", "rows"),
        data_dir=data_dir,
    shell:
        "python -m rectify.sample --settings {params.settings:q} --data-dir {params.data_dir:q}"
        " --out {output.rows} --counts {output.counts} > {log} 2>&1"
