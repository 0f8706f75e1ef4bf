#!/usr/bin/env bash
# Snakemake 9.27.1, snakefmt 2.1.0: Python in a Snakefile may not begin a line with a variable named
# `rule`, even inside brackets, where the line goes on with an expression. Snakemake takes it for the
# keyword and ends in a bare "KeyError: 4", which does not name the word; snakefmt reports a parsing
# error. `input`, a keyword inside rules alone, is fine there, and so is `rule` elsewhere in a
# line. So code that walks over rules (`rule,` on a line of its own, as a
# formatter breaks it) works until it is wrapped.
#
#   return "-".join(           with `rule` as the name:  KeyError: 4; snakefmt: status 123
#       [                      with `name` as the name:  runs; snakefmt reads it
#           rule,
#           "job",
#       ]
#   )
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q snakemake==9.27.1 snakefmt==2.1.0
cd "$folder"

snakefile() {  # with the variable's name
    cat <<END
def named($1):
    return "-".join(
        [
            $1,
            "job",
        ]
    )


rule all:
    output:
        named("a"),
    shell:
        "touch {output}"
END
}
snakefile rule > reserved
snakefile name > plain
python=$(sed '/^rule all/,$d' reserved)
"$folder/venv/bin/python" -c "$python
assert named('a') == 'a-job'"

said=0
run() { "$folder/venv/bin/snakemake" -s "$1" --cores 1 > "$1.log" 2>&1; }
format() { "$folder/venv/bin/snakefmt" --check "$1" > "$1.format" 2>&1; }
run reserved || said=$?
grep -m1 '^KeyError' reserved.log
[ "$said" -ne 0 ] && grep -q '^KeyError: 4$' reserved.log || { echo "it runs now"; exit 1; }
said=0
format reserved || said=$?
echo "snakefmt: status $said"
[ "$said" -eq 123 ] || exit 1
run plain && [ -f a-job ] && format plain || { cat plain.log plain.format; exit 1; }
echo "as described"
