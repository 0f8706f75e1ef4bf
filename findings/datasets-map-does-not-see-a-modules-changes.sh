#!/usr/bin/env bash
# datasets 5.2.0, Dataset.map with its cache on disk. One would guess that a changed function has another
# fingerprint, since map hashes the function that it is given, so that encoded rows are made anew whenever the
# code that encodes them has changed. That holds for functions of the script itself. A function
# that is imported from a module is known by its name alone, and so is what a function of the script calls in
# a module: its new code is not seen, and the rows of the old code are taken from the cache, without a word.
#
#   train.py, with encode() in it:              old code "v1", new code "v2":  v2
#   train.py, from code import encode:          old code "v1", new code "v2":  v1
#   train.py, lambda row: code.encode(row):     old code "v1", new code "v2":  v1
#
# Seen with load_dataset("json"). The usual layout, a package with the prompt template and the masking in it and
# a script that calls map, so trains on the rows of an old template after it has been mended. Instead: give
# map a new_fingerprint made of the module's source, or load_from_cache_file=False, or key the cache's folder
# (HF_DATASETS_CACHE) by the commit.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv --without-pip "$folder/venv"
"${PYTHON:-python3.11}" -m pip --python "$folder/venv/bin/python" install -q --no-compile \
    datasets==5.2.0 dill==0.4.1
cd "$folder"
export HF_DATASETS_CACHE="$folder/cache" HF_HUB_OFFLINE=1
echo '{"text": "a"}' > rows.jsonl

made() { # VERSION: by which code train.py makes its rows, where both it and the module are of this version
    rm -rf __pycache__
    printf 'def encode(row):\n    return {"code": "%s"}\n' "$1" > code_of_mine.py
    {
        echo 'import code_of_mine as code'
        echo 'from datasets import disable_progress_bars, load_dataset'
        cat code_of_mine.py
        cat << 'PYTHON'
disable_progress_bars()
rows = load_dataset("json", data_files="rows.jsonl", split="train")
for function in (encode, code.encode, lambda row: code.encode(row)):
    print(rows.map(function)[0]["code"])
PYTHON
    } > train.py
    venv/bin/python train.py | paste -sd' ' -
}

first=$(made v1)
second=$(made v2)
echo "of the script, imported, called by a lambda: with v1 $first, with v2 $second"
[[ $first == "v1 v1 v1" && $second == "v2 v1 v1" ]]
