"""Collections are left out while what stays is made, and of it afterwards."""

import gc

import pytest
from rectify.step.garbage import uncollected


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


def test_what_a_block_has_made_is_never_looked_at_again():
    frozen = gc.get_freeze_count()
    with uncollected():
        assert not gc.isenabled()
        made = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(made)


def test_a_block_that_fails_leaves_collections_on():
    with pytest.raises(ValueError, match="no engine"), uncollected():
        raise ValueError("no engine")
    assert gc.isenabled()
