#!/usr/bin/env bash
# Snakemake 9.27.1: while jobs wait for a core, each job that has ended makes the scheduler look at all
# waiting jobs once more in every second, for good: a study of some hundred jobs keeps a part of a core
# busy with nothing.
#
# JobScheduler.schedule wakes up whenever a job ends, and, as `--max-jobs-per-timespan` is 100/1s unless
# given, starts a timer that wakes it up again after the timespan. That pass starts the next timer, so
# that each job's end begins a chain of timers of its own. A longer timespan has fewer passes, but the
# timers are waited for: the process ends that much later than its last job.
#
# Here one core works on jobs of no duration, then on one of 12 s, while others wait; counted are the
# scheduler's passes ("Ready jobs: N", --verbose) during those 12 s. Seen:
#
#   after  5 jobs, 100/1s (default):   70 passes
#   after 40 jobs, 100/1s (default):  477 passes; it ends 3 s behind its last job
#   after 40 jobs, 100/20s:             0 passes; it ends 23 s behind its last job
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
    input: expand("short{i}", i=range(config["short"])), "long", expand("waits{i}", i=range(5))

rule short:
    output: "short{i}"
    priority: 2
    shell: "touch {output}"

rule long:
    output: "long"
    priority: 1
    shell: "sleep 12 && touch {output}"

rule waits:
    output: "waits{i}"
    shell: "touch {output}"
END

passes() {  # the scheduler's passes while the long job runs, after so many short ones
    rm -f short* waits* long
    "$folder/venv/bin/snakemake" --cores 1 --verbose --config "short=$1" "${@:2}" > log 2>&1 || { cat log >&2; exit 1; }
    sed -n '/rule long:/,/Finished jobid.*Rule: long/p' log | grep -c '^Ready jobs: ' || true
}

seconds() {  # from the last job's end to Snakemake's
    local ended
    ended=$(date -d "$(sed -nE 's/^\[(.*)\]$/\1/p' log | tail -1)" +%s)
    echo $(($(date +%s) - ended))
}

"$folder/venv/bin/snakemake" --version
few=$(passes 5)
many=$(passes 40)
soon=$(seconds)
rare=$(passes 40 --max-jobs-per-timespan 100/20s)
late=$(seconds)
echo "after  5 jobs, 100/1s (default): $few passes"
echo "after 40 jobs, 100/1s (default): $many passes, its end $soon s behind its last job's"
echo "after 40 jobs, 100/20s:          $rare passes, its end $late s behind its last job's"
((few > 12 && many > 4 * few && rare < few && soon < 5 && late > 10))
