"""Bytes that devices exchange in a training step, counted in the programs that XLA has compiled for them.

``KERAS_BACKEND=jax python -m benchmarks.collectives --devices 8 --method oasis --batch-size 8``: on virtual devices of a CPU,
of which no step is run. Counted is what each collective returns on one device: of an all-reduce the sum, which in a ring
travels 2 (N - 1) / N times from every device.
"""

import argparse
import os
import re
from collections import Counter
from functools import partial

_BYTES = {"pred": 1, "s8": 1, "u8": 1, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8}
_COLLECTIVE = re.compile(
    r"= (?P<shapes>\(.*?\)|\S+) (?P<kind>all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute)(?:-start)?\("
)
_SHAPE = re.compile(r"(\w+)\[([\d,]*)\]")


def collectives(program: str) -> Counter:
    """Bytes that collectives return on one device, by their kind, in the text of a compiled program.

    >>> dict(collectives("%a = (f32[2,3]{1,0}, s32[]) all-reduce(%b, %c), %d = f32[8]{0} add(%e, %f)"))
    {'all-reduce': 28}
    """
    found: Counter = Counter()
    for match in _COLLECTIVE.finditer(program):
        for kind, sides in _SHAPE.findall(match["shapes"]):
            count = 1
            for side in filter(None, sides.split(",")):
                count *= int(side)
            found[match["kind"]] += count * _BYTES[kind]
    return found


def _program(gan, fn, *args):
    """The text of the program that a step of the model is compiled to."""
    from keras_semisis.gans.engines import jax as engine

    variables = [v for group in gan._state_groups() for v in group]
    values = [v.value for v in variables]
    function, changed = engine._compiled_in_place(variables, values, fn, args)
    return function.lower(*engine._parted(values, changed), *args).compile().as_text()


def of_step(options) -> dict[str, Counter]:
    """The collectives of each phase of the first step, in which all terms are due, and of the moving average."""
    import keras
    from keras import ops

    import keras_semisis as ks
    from benchmarks.step_time import build, random_batch
    from keras_semisis.gans.phase import take_step

    distribution = ks.distribute()
    classes = 35
    gan = build(options, classes, 0)
    batch = tuple(random_batch(options, classes, seed) for seed, _ in enumerate(gan.data_sets))
    data = gan.batch(
        keras.tree.map_structure(
            lambda array: keras.distribution.distribute_tensor(array, distribution.get_data_layout(array.shape)), batch
        )
    )
    gan.notice_frozen_layers()
    steps = {phase.name: partial(take_step, gan, phase, phase.due(0)) for phase in gan.phases()}
    ok = ops.convert_to_tensor(True)
    found = {name: collectives(_program(gan, step, data, ok)) for name, step in steps.items()}
    return found | {"end": collectives(_program(gan, gan._end_step, ok))}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=8, help="the other options are those of benchmarks.step_time")
    options, others = parser.parse_known_args(argv)
    flags = f"--xla_force_host_platform_device_count={options.devices} --xla_backend_optimization_level=0"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags} --xla_llvm_disable_expensive_passes=true"

    from benchmarks.step_time import arguments

    total: Counter = Counter()
    for name, found in of_step(arguments(others)).items():
        total += found
        print(f"{name}: " + (", ".join(f"{kind} {count / 1e6:.2f} MB" for kind, count in found.items()) or "none"), flush=True)
    print("step: " + ", ".join(f"{kind} {count / 1e6:.2f} MB" for kind, count in total.items()))


if __name__ == "__main__":
    main()
