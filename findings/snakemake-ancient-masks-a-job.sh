#!/usr/bin/env bash
# Snakemake 9.27.1: a job behind a planned job by an `ancient` edge alone is left out of the plan, even
# if it has a reason of its own to run. A second call plans it.
#
# DAG.update_needrun takes every job behind a planned one, over whatever edges, out of the reckoning of
# own reasons ("they will be determined as needrun because they depend on them"), and then does not
# follow edges whose files are all `ancient` and exist. See snakemake/snakemake#4166.
#
#   check (a parameter)  --ancient-->  train (a parameter)
#
# Both parameters change at once; each alone is enough to run its job. Seen:
#
#   first call:   check            "1 of 1 steps (100%) done", status 0; `trained` is of the old value
#   second call:  train
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

VERSION=9.27.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "snakemake==$VERSION"
cd "$folder"

cat > Snakefile <<'END'
rule all:
    input: "trained"

rule check:
    output: "checked"
    params: value=config["check"]
    shell: "echo {params.value} > {output}"

rule train:
    input: ancient("checked")
    output: "trained"
    params: value=config["train"]
    shell: "echo {params.value} > {output}"
END

ran() {  # the rules that a call with these parameters runs, in order
    "$folder/venv/bin/snakemake" --cores 1 --config "check=$1" "train=$2" > log 2>&1 || { cat log >&2; exit 1; }
    sed -nE 's/^(local)?rule (check|train):$/\2/p' log | paste -sd' ' -
}

"$folder/venv/bin/snakemake" --version
ran 1 1 > made
first=$(ran 2 2)
after_first=$(cat trained)
second=$(ran 2 2)
echo "made first:             $(cat made)"
echo "both changed, one call: ${first:-nothing}; trained holds $after_first (its parameter is 2)"
echo "the same call again:    ${second:-nothing}; trained holds $(cat trained)"
[[ $(cat made) == "check train" && $first == check && $after_first == 1 && $second == train ]]
