#!/usr/bin/env bash
# Installs a lock into .venv:  envs/install.sh cpu|gpu     (`make` calls it; needs Python 3.11)
#
# With VIRTUAL=none it installs into the Python that runs, for a conda environment's post-deploy.
set -euo pipefail
lock=${1:?cpu or gpu}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
file=$here/$lock.lock
python=${PYTHON:-python3.11}

[ -f "$file" ] || { echo "envs/install.sh: no such lock: envs/$lock.lock; say cpu or gpu" >&2; exit 2; }
command -v "$python" >/dev/null || {
  echo "envs/install.sh: $python is not there; install Python 3.11, or say make PYTHON=/path/to/python3.11" >&2
  exit 2
}
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = 3.11 ] || {
  echo "envs/install.sh: $python is Python $version; the locks are for 3.11: say make PYTHON=/path/to/python3.11" >&2
  exit 2
}

if [ "${VIRTUAL:-venv}" = venv ]; then
  rm -rf .venv
  "$python" -m venv .venv
  python=.venv/bin/python
fi
pip() { "$python" -m pip --disable-pip-version-check "$@" 2> >(grep -v '^WARNING: Location' >&2); }

torch=$(grep '^torch==' "$file")
if [ "$lock" = cpu ]; then
  # the CPU build: where pip is configured to find it by name; else from PyTorch's own index, which
  # uv knows; else the package index's build, which on Linux needs its CUDA libraries
  echo "installing $torch (CPU build)"
  pip install -q --no-deps "$torch+cpu" 2>/dev/null ||
    { pip install -q --no-deps "$(grep '^uv==' "$file")" &&
      "$python" -m uv pip install -q --no-deps --python "$python" --torch-backend cpu "$torch"; } ||
    pip install -q "$torch"
fi
echo "installing envs/$lock.lock ($(grep -c '==' "$file") packages, a few minutes)"
pip install -q --no-deps -r "$file"
pip install -q --no-deps --no-build-isolation -e "$here/.."
"$python" -c 'import torch' || { echo "envs/install.sh: torch does not import" >&2; exit 1; }
[ "${VIRTUAL:-venv}" != venv ] || touch ".venv/.installed-$lock"
