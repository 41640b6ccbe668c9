import threading

import pytest

from keras_semisis.data.stream.step_dataset import StepDataset


def test_steps_in_order_and_out_of_order():
    steps = StepDataset(lambda step: step * 10, 3, 9)
    assert len(steps) == steps.num_batches == 6
    assert [steps[i] for i in range(6)] == [30, 40, 50, 60, 70, 80]
    assert [steps[i] for i in (5, 0, 0, 2)] == [80, 30, 30, 50]
    with pytest.raises(IndexError, match="after the last one, 8"):
        steps[6]


def test_endless():
    steps = StepDataset(lambda step: step, 2, None)
    assert steps.num_batches is None and steps[1000] == 1002
    with pytest.raises(TypeError, match="no end"):
        len(steps)


def test_steps_are_loaded_ahead_and_once():
    loaded, ready = [], threading.Event()

    def load(step):
        loaded.append(step)
        if len(loaded) == 4:
            ready.set()
        return step

    steps = StepDataset(load, 0, 100)
    assert steps[0] == 0
    assert ready.wait(10)  # nobody asked for steps 1, 2, 3 yet
    assert [steps[i] for i in range(1, 4)] == [1, 2, 3]
    assert sorted(loaded)[:4] == [0, 1, 2, 3] and len(loaded) == len(set(loaded))


def test_what_loading_raises_comes_through():
    def load(step):
        raise OSError(f"step {step}")

    with pytest.raises(OSError, match="step 5"):
        StepDataset(load, 5, 6)[0]
