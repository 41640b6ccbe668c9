"""A protocol's hash stands for what defines it."""

import dataclasses

import pytest

from keras_semisis.metrics.protocols import PROTOCOLS, Protocol, get_protocol

# To be changed together with the version alone: results of one name and version compare
HASHES = {"oasis2021": (2, "126be5ee21928334"), "clean": (1, "09a61811dc06a982"), "native": (1, "b81c414fb3aeb05f")}


@pytest.mark.parametrize("name", ["oasis2021", "clean", "native"])
def test_a_change_needs_a_new_version(name):
    protocol = get_protocol(name)
    assert (protocol.version, protocol.sha256[:16]) == HASHES[name]


def test_every_field_is_in_the_hash():
    protocol = get_protocol("native")
    seen = {protocol.sha256}
    for field in dataclasses.fields(Protocol):
        value = getattr(protocol, field.name)
        other = {str: "other", int: 7, float: 0.5, bool: True, tuple: (), type(None): 3}[type(value)]
        seen.add(dataclasses.replace(protocol, **{field.name: other}).sha256)
    assert len(seen) == 1 + len(dataclasses.fields(Protocol))


def test_what_field_md_says_of_the_published_one():
    protocol = PROTOCOLS["oasis2021"]
    assert (protocol.statistics_batches, protocol.eight_bit, protocol.statistics) == (51, False, "float32")
    with pytest.raises(dataclasses.FrozenInstanceError):
        protocol.version = 2
    with pytest.raises(ValueError, match=r"protocol='fid': expected one of 'oasis2021', 'clean', 'native'"):
        get_protocol("fid")
    assert get_protocol(protocol) is protocol
