#!/usr/bin/env bash
# rocrate 0.16.0 (ro-crate-py). A crate is read from a folder and is to be written to another place without one of
# its files. One would guess that crate.delete(entity) takes the file out, or ROCrate(folder, exclude=[name]).
# Neither does. delete() takes its description out of the metadata; but write() and write_zip() also copy all that
# lies in the source folder and is not described, and the deleted file has just become that. `exclude` is about
# those undescribed files alone: an excluded file that the metadata describe is copied for its entity. Only
# both together keep it out. Seen, in a folder and in a zip alike:
#
#                         licensed.csv is described   it is there
#   deleted               no                          yes
#   excluded              yes                         yes
#   deleted, excluded     no                          no
#
# So a crate that is shared without its licensed rows or a model's weights has them in it all the same, and neither
# the metadata nor a reader of them shows it. ResearchObject/ro-crate-py#253 has it for a crate that is written
# over itself; here the new folder was empty.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv --without-pip "$folder/venv"
"${PYTHON:-python3.11}" -m pip --python "$folder/venv/bin/python" install -q --no-compile rocrate==0.16.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import json
import pathlib
import sys
import zipfile

from rocrate.rocrate import ROCrate

METADATA, KEPT, LICENSED = "ro-crate-metadata.json", "table.csv", "licensed.csv"
made = ROCrate()
for name in (KEPT, LICENSED):
    pathlib.Path(name).write_text("row\n1\n")
    made.add_file(name)
made.write("crate")


def shared(delete, exclude):
    """For a folder and a zip: is the file described, is it there."""
    crate = ROCrate("crate", exclude=[LICENSED] if exclude else None)
    if delete:
        crate.delete(crate.get(LICENSED))
    place = pathlib.Path(f"shared-{delete}-{exclude}")
    crate.write(place)
    crate.write_zip(f"{place}.zip")
    with zipfile.ZipFile(f"{place}.zip") as file:
        zipped = file.read(METADATA), set(file.namelist())
    written = (place / METADATA).read_bytes(), {path.name for path in place.iterdir()}
    for metadata, files in (written, zipped):
        described = {entity["@id"] for entity in json.loads(metadata)["@graph"]}
        assert KEPT in described and KEPT in files
        yield LICENSED in described, LICENSED in files


same = True
for delete, exclude, expected in ((1, 0, (False, True)), (0, 1, (True, True)), (1, 1, (False, False))):
    for kind, found in zip(("folder", "zip"), shared(delete, exclude), strict=True):
        same &= found == expected
        done = f"deleted {bool(delete)!s:5} excluded {bool(exclude)!s:5}"
        print(f"{done}  {kind:6}  {LICENSED} is described: {found[0]!s:5} there: {found[1]}")
print("as described" if same else "it behaves otherwise now")
sys.exit(not same)
PYTHON
