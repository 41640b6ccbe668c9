"""Several processes share a batch, and the model is the one that a single process trains."""

import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis import processes
from tests.conftest import ROOT
from tests.gans.tiny import SIZE, Scenes

ON_JAX = keras.backend.backend() == "jax"
ADDRESSES, NUMBER, ID = (f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID"))
only_jax = pytest.mark.skipif(not ON_JAX, reason="several processes are JAX's")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def trained(path, number):
    """What each of so many processes found, and the folder that it was given."""
    flags = "--xla_llvm_disable_expensive_passes=true --xla_backend_optimization_level=0"
    port, running = free_port(), []
    for process in range(number):
        folder = path / f"{process} of {number}"
        folder.mkdir()
        environment = os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
        if number > 1:
            environment |= {ADDRESSES: f"127.0.0.1:{port}", NUMBER: str(number), ID: str(process)}
        command = [sys.executable, "-m", "tests.gans.on_processes", str(folder), str(folder / "found.npz")]
        with open(folder / "output.txt", "w") as output:
            running.append((folder, subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=ROOT)))
    for folder, program in running:
        assert not program.wait(), (folder / "output.txt").read_text()[-3000:]
    return [(dict(np.load(folder / "found.npz")), folder) for folder, _ in running]


@pytest.mark.multi_device
@only_jax
def test_the_number_of_processes_changes_rounding_alone(tmp_path):
    """Two steps in float32 of all that can be switched on: sums over a batch in another order."""
    ((one, _),) = trained(tmp_path, 1)
    (first, folder), (second, other) = trained(tmp_path, 2)
    assert set(first["devices"]) == set(second["devices"]) == {2}
    for found in (first, second):
        assert found.keys() == one.keys()
        for key, expected in one.items():
            if key == "devices" or key.startswith("read"):
                continue
            tolerance = 1.0 if key == "photos" else 2e-5 * max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(found[key].astype("float64"), expected.astype("float64"), atol=tolerance, err_msg=key)
    for lane in ("read pairs", "read photos"):  # two steps of two: what is drawn twice is kept
        assert 0 < len(first[lane]) <= 4 and 0 < len(second[lane]) <= 4
        assert {*first[lane], *second[lane]} == {*one[lane]}
    # the first process writes, and what it has written goes on in one process
    names = {"last.keras", "grid-000002.png", "losses.jsonl", "losses.png"}
    assert names < {path.name for path in folder.iterdir()}
    assert {path.name for path in other.iterdir()} == {"found.npz", "output.txt"}
    gan, step = ks.callbacks.resume(folder)
    assert step == 2
    for i, variable in enumerate(gan.variables):
        np.testing.assert_array_equal(np.asarray(variable, "float32"), first[f"weight {i}"])


@pytest.fixture
def second_of_two():
    """Known in this thread alone, as Keras has it: the threads that load batches have to be told."""
    mesh = SimpleNamespace(shape=(2,))
    keras.distribution.set_distribution(SimpleNamespace(num_processes=2, data_shard_id=1, device_mesh=mesh))
    yield
    keras.distribution.set_distribution(None)


@pytest.mark.parametrize("without_tensorflow", [False, True])
def test_a_process_reads_its_rows_of_every_batch(second_of_two, monkeypatch, without_tensorflow):
    assert processes.own_rows()(6) == slice(3, 6)
    assert not processes.is_first_process()
    if without_tensorflow:
        for module in ("batch_stream", "pipeline"):
            monkeypatch.setattr(f"keras_semisis.data.stream.{module}.optional_tensorflow", lambda: None)

    class Read(Scenes):
        read = ()

        def load(self, index):
            self.read += (index,)
            return super().load(index)

    scenes = Read(50)
    dataset = ks.data.paired_dataset(scenes, SIZE, 6, sampler="rare_classes")
    found = [batch for (batch,) in _elements(ks.data.training_stream([dataset], 1, 5))]
    own = set(scenes.read)
    assert len(found) == 4 and len(own) <= 12
    expected = [dataset.load_step(step, 5) for step in range(1, 5)]
    for (image, label_map), (images, label_maps) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(image, images[3:])
        np.testing.assert_array_equal(label_map, label_maps[3:])
    assert len(set(scenes.read)) > len(own)


@pytest.mark.parametrize("without_tensorflow", [False, True])
def test_data_sets_of_the_users_own_give_a_process_its_rows(second_of_two, monkeypatch, without_tensorflow):
    from keras_semisis.data.stream.batch_rule import BatchRule
    from keras_semisis.data.stream.own_batches import own_batches

    if without_tensorflow:
        for module in ("own_batches", "pipeline"):
            monkeypatch.setattr(f"keras_semisis.data.stream.{module}.optional_tensorflow", lambda: None)
    images, label_maps = -np.ones((4, *SIZE, 3), "float32"), np.arange(4)[:, None, None] * np.ones((1, *SIZE), "int32")
    dataset = own_batches([(images, label_maps)], BatchRule(5, SIZE), "paired_ds")
    ((image, label_map),) = _elements(ks.data.training_stream([dataset], 0, 1))[0]
    assert image.shape == (2, *SIZE, 3)
    np.testing.assert_array_equal(label_map, label_maps[2:])
    ((_, whole),) = dataset
    np.testing.assert_array_equal(whole, label_maps)
    odd = own_batches([(images[:3], label_maps[:3])], BatchRule(5, SIZE), "paired_ds")
    with pytest.raises(Exception, match="batch_size=3 cannot be split between 2 devices"):
        _elements(ks.data.training_stream([odd], 0, 1))


def _elements(stream):
    elements = stream if hasattr(stream, "as_numpy_iterator") else map(stream.__getitem__, range(len(stream)))
    return [keras.tree.map_structure(np.asarray, element) for element in elements]


@pytest.mark.skipif(ON_JAX, reason="what the other backends say")
def test_other_backends_name_jax(monkeypatch):
    with pytest.raises(ValueError, match=r"coordinator='10\.0\.0\.1:99'.*KERAS_BACKEND=jax"):
        ks.distribute(coordinator="10.0.0.1:99", processes=2, process=0)
    monkeypatch.setenv(ADDRESSES, "10.0.0.1:98,10.0.0.2:98")
    with pytest.raises(ValueError, match=r"KERAS_BACKEND=jax"):
        ks.distribute()


@only_jax
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"processes": 2}, "processes=2: several processes find each other by the first one's address"),
        ({"coordinator": "here"}, "coordinator='here': expected HOST:PORT"),
        ({"coordinator": "127.0.0.1:1", "process": 0}, f"processes= is missing.*{NUMBER}"),
        ({"coordinator": "127.0.0.1:1", "processes": 0, "process": 0}, "processes=0: expected at least 1"),
        ({"coordinator": "127.0.0.1:1", "processes": 2, "process": 2}, "process=2: there are 2, from 0 to 1"),
    ],
)
def test_processes_that_cannot_be_are_named(monkeypatch, arguments, words):
    for name in (ADDRESSES, NUMBER, ID, "SLURM_NTASKS", "SLURM_PROCID", "JOB_COMPLETION_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=words):
        ks.distribute(**arguments)


@only_jax
def test_a_port_that_is_taken_is_named():
    with socket.create_server(("", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ValueError, match=f"coordinator='{address}': this port cannot be used here"):
            ks.distribute(coordinator=address, processes=2, process=0)


@only_jax
def test_nobody_answers(monkeypatch):
    monkeypatch.setattr("keras_semisis.joining.SECONDS_TO_JOIN", 0)
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(ConnectionError, match=f"coordinator {address}: nobody has answered"):
        ks.distribute(coordinator=address, processes=2, process=1)


@only_jax
def test_numbers_come_from_slurm_and_kubernetes(monkeypatch):
    joined = []
    monkeypatch.setattr("keras_semisis.joining._check_reachable", lambda *_: None)
    monkeypatch.setattr(processes.engine_of_backend(), "join", lambda *found: joined.append(found[:3]))
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "3")
    monkeypatch.setenv(ADDRESSES, "node1:8476,node2:8476")
    ks.distribute("cpu:0")
    monkeypatch.delenv("SLURM_PROCID")
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "2")
    ks.distribute("cpu:0")
    assert joined == [("node1:8476", 4, 3), ("node1:8476", 4, 2)]
