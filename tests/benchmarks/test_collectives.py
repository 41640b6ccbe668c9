"""Bytes of collectives, by hand."""

from benchmarks.collectives import collectives

PROGRAM = """
  %sum = (f32[3,3,8]{2,1,0}, bf16[4]{0}) all-reduce(%a, %b), channel_id=1, to_apply=%add
  %all = f32[8,16]{1,0} all-gather(%c), dimensions={0}
  %begun = s32[] all-reduce-start(%d), to_apply=%add
  %ended = s32[] all-reduce-done(%begun)
  %moved = pred[6]{0} collective-permute(%e)
  %fused = f32[99]{0} fusion(%all), kind=kLoop
"""


def test_bytes_are_those_of_what_collectives_return():
    assert collectives(PROGRAM) == {"all-reduce": 4 * 72 + 2 * 4 + 4, "all-gather": 4 * 128, "collective-permute": 6}
