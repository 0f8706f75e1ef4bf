"""Another valid value for every key of a study, found by walking the typed description."""

import copy
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from rectify.jobs.preflight import check_files, check_runs
from rectify.step.blocks import Block
from rectify.step.errors import StepError
from rectify.study.load import load_study
from rectify.study.schema import Study

WORDS = ("x", "0" * 40, "0" * 64)


def types_in(annotation):
    """The plain types in an annotation, and the values of its Literals."""
    if get_origin(annotation) is Literal:
        return [("value", value) for value in get_args(annotation)]
    if get_origin(annotation) is Annotated:
        return types_in(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [found for part in get_args(annotation) for found in types_in(part)]
    return [("type", annotation)]


def blocks_in(annotation):
    """The blocks that an annotation names, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return {annotation}
    return set().union(*(blocks_in(part) for part in get_args(annotation)))


def all_keys(block=Study, seen=None):
    """(block that defines it, key) of every key of the description."""
    seen = set() if seen is None else seen
    if block not in seen:
        seen.add(block)
        for field in block.model_fields.values():
            for inner in blocks_in(field.annotation):
                all_keys(inner, seen)
    return {(defined_in(block, key), key) for block in seen for key in block.model_fields}


def defined_in(block, key):
    """The first of a block's classes that has a key."""
    return next(c.__name__ for c in reversed(block.__mro__)
                if key in getattr(c, "model_fields", {}))  # fmt: skip


def leaves(block, pattern=(), path=()):
    """(pattern, path, block's class, key, value) of each key; `*` is a name in a pattern."""
    for key, field in type(block).model_fields.items():
        named = field.alias or key
        value, where = getattr(block, key), ((*pattern, named), (*path, named))
        yield (*where, type(block), key, value)
        if isinstance(value, Block):
            yield from leaves(value, *where)
        elif isinstance(value, dict):
            for name, inner in value.items():
                if isinstance(inner, Block):
                    yield from leaves(inner, (*where[0], "*"), (*where[1], name))


def candidates(value, field, elsewhere, names):
    """Values that a key might have instead of its own, the likeliest first."""
    kinds = types_in(field.annotation)
    yield from (found for kind, found in kinds if kind == "value")
    yield from (
        (field.json_schema_extra or {}).get("enum", ())
        if isinstance(field.json_schema_extra, dict)
        else ()
    )
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        whole = isinstance(value, int)
        yield from (value * 2, value // 2, value + 1) if whole else (value / 2, value * 2, 0.5)
    elif isinstance(value, str):
        yield from elsewhere
        near = Path(value.partition(":")[0])
        if near.exists():  # another such file or function, another folder
            yield from (str(each) for each in sorted(near.parent.iterdir())
                        if each.suffix == near.suffix)  # fmt: skip
            yield from (value.replace("first", "second"), f"{value}/")
        yield from names
        yield from (f"{value} x", f"{value}x")
        yield from WORDS
    elif isinstance(value, list | tuple):
        yield list(value)[:-1]
        yield from ([*value, name] for name in names)
        yield from ([*value[:-1], value[-1] + more] for more in (1, -0.05)
                    if not isinstance(value[-1], str))  # fmt: skip
        yield from ([*value[:-1], 2 * each] for each in value[-1:] if isinstance(each, float))
        yield from ([*value, 3], None)
    elif isinstance(value, dict):
        yield {key: each * 2 for key, each in value.items() if each is not None}
        yield {**value, "weight_decay": 0.5}
        for key, each in value.items():
            if isinstance(each, str) and Path(each).is_dir():  # another folder
                near = sorted(path for path in Path(each).parent.iterdir() if path.is_dir())
                yield from ({**value, key: str(path)} for path in near)
    elif value is None:
        known = [found for kind, found in kinds if kind == "type"]
        yield from elsewhere
        yield from ({} for kind in known if blocks_in(kind))
        yield from (1, 2, 64, 32, 0.5)
        yield from WORDS
        yield from ([each] for each in (0, *names))
        yield from (str(each) for each in sorted(Path("given").iterdir()))


def with_key(study, path, value):
    """A study, as plain data, with one key set."""
    changed = copy.deepcopy(study)
    block = changed
    for key in path[:-1]:
        block = block.setdefault(key, {})
    block[path[-1]] = value
    return changed


def valid(study):
    """The study that plain data describes; None if nothing could be run of it."""
    try:
        found = load_study(study)
        check_files(found)
        check_runs(found, Path("config/published.csv"))
    except (StepError, ValueError, TypeError):
        return None
    return found


def other_values(study: dict) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """For each key, `models.*.title`, the study with another value; and the keys without one.

    A key that has none here, but has where the same block stands elsewhere, is not among the
    latter. Works in the folder that the study's paths start at.
    """
    before = load_study(study)
    found, lacking, covered = {}, {}, set()
    walked = list(leaves(before))
    same = {}
    for _, _, block, key, value in walked:
        same.setdefault((defined_in(block, key), key), []).append(value)
    names = [*before.models, *before.methods, *before.benchmarks]
    for pattern, path, block, key, value in walked:
        name, own = ".".join(pattern), (defined_in(block, key), key)
        if name in found:
            continue
        inner = value if not isinstance(value, dict) else next(iter(value.values()), None)
        if isinstance(inner, Block):  # its own keys follow
            covered.add(own)
            continue
        elsewhere = [each for each in same[own] if each and not isinstance(each, Block)]
        field = block.model_fields[key]
        for other in candidates(value, field, elsewhere, names):
            changed = with_key(study, path, other)
            after = valid(changed)
            if after is not None and (key == "extends" or after != before):
                found[name] = changed
                covered.add(own)
                break
        else:
            lacking[name] = own
    lost = {name for name, own in lacking.items() if name not in found and own not in covered}
    lost |= {f"{block}.{key}" for block, key in all_keys() - {
        (defined_in(block, key), key) for _, _, block, key, _ in walked}}  # fmt: skip
    return found, lost
