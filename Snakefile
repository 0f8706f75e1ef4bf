# rectify: the DFT paper (arXiv 2508.05629) as a pipeline.
#
#   snakemake --cores all                                        the study in miniature
#   snakemake --cores all --configfile config/smoke.yaml         any other study
#   snakemake -n                                                 what would be done
#   snakemake prechecks | tables | figures | report              a part of it

from snakemake.utils import min_version

min_version("9.27")


if not workflow.overwrite_configfiles:

    configfile: "config/mini.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


localrules:
    all,
    tables,
    figures,
    report,
    prechecks,


# The targets have no output, so that they run at the end of every call: whatever Snakemake has left
# as it was, they say whether it is what the study now gives.


rule tables:
    input:
        expand(paths.table(STUDY, "{table}"), table=TABLES),
        stale_forced,
    log:
        f"logs/verify/{STUDY.study}/tables.log",
    conda:
        ENVIRONMENT
    params:
        study=study_given,
    shell:
        "python -m rectify verify {params.study} {input} > {log} 2>&1"


use rule tables as figures with:
    input:
        expand(paths.figure(STUDY, "{figure}", "pdf"), figure=FIGURES),
        stale_forced,
    log:
        f"logs/verify/{STUDY.study}/figures.log",


use rule tables as report with:
    input:
        paths.report(STUDY),
        stale_forced,
    log:
        f"logs/verify/{STUDY.study}/report.log",


# before anything is trained
use rule tables as prechecks with:
    input:
        expand(paths.precheck(STUDY, "{model}", "md"), model=runs.taught_models(STUDY)),
        stale_forced,
    log:
        f"logs/verify/{STUDY.study}/prechecks.log",


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.report.input,
        rules.write_cards.output if RUNS else [],
        CHECKED,
    log:
        f"logs/verify/{STUDY.study}/all.log",
    conda:
        ENVIRONMENT
    params:
        study=study_given,
    shell:
        "python -m rectify verify {params.study} > {log} 2>&1"


onstart:
    lift_job_rate()
    warm_up()


# what went wrong, once more after all that Snakemake says
onerror:
    print_errors()
