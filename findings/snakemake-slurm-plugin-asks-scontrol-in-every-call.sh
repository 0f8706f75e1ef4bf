#!/usr/bin/env bash
# snakemake-executor-plugin-slurm 2.6.1, Snakemake 9.27.1: where the plugin is installed, every call of
# Snakemake runs `scontrol show config` before it reads a Snakefile: a dry run, a local run and each
# job's own process, whatever their executor. (The help text of one of the plugin's options depends on
# the cluster's MinJobAge, which is asked for in a class body, as Snakemake imports all its plugins.)
#
# Where SLURM's clients are installed and no controller answers (a laptop off the network, a container,
# a workstation outside of its cluster), scontrol gives up after 9 s, and each call of Snakemake takes
# 9 s longer, nearly all of it waiting. The plugin's own limit is 10 s.
#
# Seen with a stand-in for scontrol that waits for 2 s and fails, as the real one does without a
# controller:
#
#   snakemake -n                      asked 1 times
#   snakemake --version               asked 1 times
#   snakemake --cores 1, one job      asked 1 times
#
# and none without the plugin. Remedy: no SLURM clients where no controller is.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q snakemake==9.27.1
cd "$folder"
mkdir clients
cat > clients/scontrol <<END
#!/bin/sh
echo "\$*" >> "$folder/asked"
sleep 2
exit 1
END
chmod +x clients/scontrol
export PATH="$folder/clients:$folder/venv/bin:$PATH"
cat > Snakefile <<'END'
rule all:
    output: "made"
    shell: "touch {output}"
END

asked() {
  : > asked
  "$@" > said 2>&1 || { cat said; exit 1; }
  grep -c "show config" asked || true
}

bad=0
expect() { # WANTED FOUND WORDS
  echo "$3: asked $2 times"
  [[ $1 == "$2" ]] || bad=1
}
expect 0 "$(asked snakemake -n)" "without the plugin, snakemake -n"
"$folder/venv/bin/pip" install -q snakemake-executor-plugin-slurm==2.6.1
expect 1 "$(asked snakemake -n)" "snakemake -n"
expect 1 "$(asked snakemake --version)" "snakemake --version"
expect 1 "$(asked snakemake --cores 1)" "snakemake --cores 1, one job"
exit $bad
