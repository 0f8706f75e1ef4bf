"""The finished study that the tests of reruns change, one for each of their files."""

import pytest
from stale_study import StubStudy


@pytest.fixture(scope="module")
def finished(checkout, tmp_path_factory):
    """The study, finished by one call."""
    study = StubStudy(checkout, tmp_path_factory.mktemp("environment") / "env")
    done = study.run()
    assert done.returncode == 0, done.stderr[-2000:]
    yield study
    study.close()


@pytest.fixture(scope="module")
def before(finished):
    """Its jobs."""
    return finished.jobs()
