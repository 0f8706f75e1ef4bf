"""A SLURM of one node for the tests of this folder.

Needs root and the packages slurm-wlm and munge; skipped, saying so, where they are missing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
SCRIPT = Path(__file__).parent / "slurm-loopback.sh"


def pytest_collection_modifyitems(items):
    """Every test of this folder needs SLURM."""
    missing = os.geteuid() != 0 or not shutil.which("slurmctld") or not shutil.which("munged")
    reason = "needs root, and SLURM: apt-get install slurm-wlm munge"
    for item in items:
        if SCRIPT.parent in item.path.parents:
            item.add_marker(pytest.mark.slurm)
            item.add_marker(pytest.mark.skipif(missing, reason=reason))


@pytest.fixture(scope="session", autouse=True)
def cluster(tmp_path_factory, no_cluster):
    """A running SLURM."""
    base = tmp_path_factory.mktemp("slurm")
    # the script asks nproc, which heeds OMP_NUM_THREADS
    environment = {**os.environ, "SLURM_BASE": str(base), "SLURM_CPUS": str(os.cpu_count())}
    try:
        done = subprocess.run(
            [SCRIPT, "start"], env=environment, check=False, capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"SLURM does not start here: {done.stderr.strip()[-300:]}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", str(base / "etc" / "slurm.conf"))
            own = [folder for folder in os.get_exec_path() if folder != str(no_cluster)]
            patch.setenv("PATH", os.pathsep.join(own))
            yield base
    finally:
        subprocess.run([SCRIPT, "stop"], env=environment, check=True, capture_output=True)
