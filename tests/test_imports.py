"""Backends stay in gans/engines and data, and TensorFlow may be absent."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_semisis
from tests.conftest import ROOT

not_on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="runs where KERAS_BACKEND is jax or torch"
)
PACKAGE = Path(keras_semisis.__file__).parent
BACKENDS = {"tensorflow", "tensorflow_datasets", "jax", "jaxlib", "torch", "torchvision"}
MAY_IMPORT_A_BACKEND = ("gans/engines/", "data/")

TRAIN_GENERATE_EVALUATE = """
import sys
sys.modules["tensorflow"] = None  # an import of it raises ImportError

import numpy as np
import keras_semisis as ks

size = (32, 32)
scenes = ks.data.SyntheticScenes(num_scenes=6, image_size=size)
space = scenes.label_space
paired, images, labels = ks.data.semi_paired_split(scenes, ratio=0.5, seed=0)
paired_ds = ks.data.paired_dataset(paired, image_size=size, batch_size=2, sampler="rare_classes")
unpaired_ds = ks.data.unpaired_dataset(images, labels, image_size=size, batch_size=2)
gan = ks.SemiPairedGAN(
    space.num_classes, size, ignore_class=space.ignore_class, perceptual=None,
    generator=ks.models.wavelet_spade_generator(space.num_classes, size, 1, 4, num_blocks=1),
    discriminator=ks.models.oasis_discriminator(space.num_classes, size, channels=(4,), final_channels=4),
    unconditional_discriminator=ks.models.wavelet_discriminator(size, {4: 4, 8: 4, 32: 4}))
gan.compile(statistics_batches=1, r1_every=1)
before = [np.array(w) for w in gan.generator.get_weights()]
history = gan.fit(paired_ds, unpaired_ds, epochs=2, steps_per_epoch=2, verbose=0).history
assert gan.step == 4, gan.step
assert len(history["unpaired/cycle"]) == 2 and np.isfinite(history["unpaired/cycle"]).all()
assert any((a != b).any() for a, b in zip(before, gan.generator.get_weights()))
_, label_map = scenes.load(0)
photos = gan.generate(label_map[None], seed=0)
assert photos.shape == (1, 32, 32, 3) and photos.dtype == np.uint8 and np.ptp(photos) > 0
validation = ks.data.SyntheticScenes(num_scenes=3, split="val", image_size=size)
validation_ds = ks.data.paired_dataset(validation, image_size=size, batch_size=2, training=False)
miou = ks.metrics.GeneratedMeanIoU(
    lambda x: (np.asarray(x)[..., 0] > 0).astype(int), space.ignore_class, space.num_classes)
scores = gan.evaluate(validation_ds, metrics=[miou], verbose=0)
assert set(scores) == {"miou", "miou_real"}, scores
assert sys.modules["tensorflow"] is None
print("done")
"""


def run(code):
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


def imported_modules(path):
    """Top-level packages that a file imports anywhere, inside functions and through import_module too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in ("import_module", "__import__") and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value.partition(".")[0]


def test_only_engines_and_data_import_a_backend():
    found = {
        path.relative_to(PACKAGE).as_posix(): sorted(BACKENDS & set(imported_modules(path))) for path in PACKAGE.rglob("*.py")
    }
    offenders = {path: modules for path, modules in found.items() if modules and not path.startswith(MAY_IMPORT_A_BACKEND)}
    assert not offenders
    # the scan sees imports, lazy ones too
    assert found["gans/engines/torch.py"] == ["torch"]
    assert found["data/stream/optional_tensorflow.py"] == ["tensorflow"]


def test_no_arrow_runs_up_to_the_command_line():
    def imported(folder, top_level):
        for path in (PACKAGE / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            for node in tree.body if top_level else ast.walk(tree):
                if isinstance(node, ast.ImportFrom):
                    yield path.name, node.module

    above = [(file, module) for file, module in imported("recipes", False) if module.startswith("keras_semisis.cli")]
    assert not above
    # options are read before Keras is imported
    inside = {module for _, module in imported("options", True) if module.startswith("keras")}
    assert inside and all(module.startswith("keras_semisis.options.") for module in inside)


@not_on_tensorflow
def test_importing_the_package_does_not_import_tensorflow():
    result = run("import sys, keras_semisis; print('tensorflow' in sys.modules)")
    assert result.stdout.split() == ["False"], result.stdout + result.stderr


@not_on_tensorflow
def test_train_generate_and_evaluate_without_tensorflow():
    result = run(TRAIN_GENERATE_EVALUATE)
    assert result.returncode == 0 and result.stdout.split()[-1] == "done", result.stdout + result.stderr


def test_what_users_copy_imports_this_package_before_keras():
    """Keras would take TensorFlow, which may not be there; the package chooses a backend that is."""
    found = {}
    for path in (path for name in ("examples", "benchmarks", "docs") for path in (ROOT / name).rglob("*")):
        if path.suffix in (".py", ".md"):
            names = re.findall(r"^(?:import|from) (keras\b|keras_semisis as)", path.read_text("utf-8"), re.MULTILINE)
            found[path.relative_to(ROOT).as_posix()] = len({*names}) < 2 or names[0] != "keras"
    assert found["examples/quickstart.py"] and not [path for path, right in found.items() if not right]


def test_the_package_registers_all_that_a_file_of_a_command_may_hold():
    """So that `keras.saving.load_model` reads it after ``import keras_semisis`` alone."""
    done = run("""
import importlib, pkgutil
import keras
import keras_semisis
from keras.saving import get_custom_objects
after_import = set(get_custom_objects())
for module in pkgutil.walk_packages(keras_semisis.__path__, "keras_semisis."):
    if "engines." not in module.name and not module.name.endswith(("__main__", ".beam")):
        importlib.import_module(module.name)
print(sorted(set(get_custom_objects()) - after_import), "keras_semisis>BalancedCrossEntropy" in after_import)
""")
    assert done.stdout.strip() == "[] True", done.stdout + done.stderr


def test_files_of_the_commands_load_after_the_import_alone(tmp_path):
    """The segmenter's file holds its loss, the GAN's its optimizers, losses and label space."""
    import numpy as np

    from keras_semisis import OASIS, data, models
    from keras_semisis.callbacks.model_file import save_model
    from keras_semisis.recipes.segmenter import train_segmenter

    scenes = data.SyntheticScenes(num_scenes=4, image_size=(32, 32))
    number, ignored = scenes.label_space.num_classes, scenes.label_space.ignore_class
    batches = data.paired_dataset(scenes, (32, 32), 2)
    segmenter = train_segmenter(models.unet_segmenter(number, (32, 32), (4,), 4), batches, 1)
    save_model(segmenter, tmp_path / "segmenter.keras")
    gan = OASIS(
        number,
        (32, 32),
        ignored,
        label_space=scenes.label_space,
        generator=models.oasis_generator(number, (32, 32), 1, 4, num_blocks=1, hidden_channels=4),
        discriminator=models.oasis_discriminator(number, (32, 32), (4,), 4),
    )
    gan.compile()
    save_model(gan, tmp_path / "last.keras", {"training.json": {"step": 0}})
    models.LabeledModel.of(gan.generator, scenes.label_space).save(tmp_path / "imported.keras")
    done = run(f"""
import keras
import numpy as np
import keras_semisis
for name in ("segmenter", "last", "imported"):
    model = keras.saving.load_model(f"{tmp_path}/{{name}}.keras")
    print(type(model).__name__, *model.label_space.class_names[:2])
    if name == "segmenter":
        print(type(model.loss).__name__, model.loss.ignore_class, float(model(np.zeros((1, 32, 32, 3), "float32"))[0, 3, 5, 1]))
""")
    first, second = scenes.label_space.class_names[:2]
    logit = float(segmenter.predict(np.zeros((1, 32, 32, 3), "float32"), verbose=0)[0, 3, 5, 1])
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.endswith(f"{first} {second}")] == [
        f"LabeledModel {first} {second}",
        f"OASIS {first} {second}",
        f"LabeledModel {first} {second}",
    ], done.stderr
    loss, ignore_class, read = lines[1].split()
    assert (loss, ignore_class) == ("BalancedCrossEntropy", str(ignored)) and abs(float(read) - logit) < 1e-5


# Of keras_semisis.data: a wing imports from those before it alone. "" is what lies in data itself, on which all stand.
WINGS = ("", "pictures", "labels", "sources", "statistics", "packs", "stream")


def test_no_wing_of_data_imports_from_one_above_it():
    above, seen = [], set()
    for path in (PACKAGE / "data").rglob("*.py"):
        wing = path.parent.relative_to(PACKAGE / "data").parts[:1] or ("",)
        if wing == ("",) and path.name in ("__init__.py", "beam.py"):  # what is public, and what runs on many machines
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            module = getattr(node, "module", None) or ""
            if not isinstance(node, ast.ImportFrom) or not module.startswith("keras_semisis.data"):
                continue
            names = module.split(".")[2:3] or [alias.name for alias in node.names]
            for imported in (name if name in WINGS else "" for name in names):
                seen.add((wing[0], imported))
                if WINGS.index(imported) > WINGS.index(wing[0]) or module == "keras_semisis.data":
                    above.append(f"{path.relative_to(PACKAGE)}:{node.lineno} imports {module}")
    assert above == []
    assert {("labels", "pictures"), ("sources", "labels"), ("statistics", "sources"), ("stream", "statistics")} <= seen
    assert {path.name for path in (PACKAGE / "data").iterdir() if (path / "__init__.py").exists()} == {*WINGS} - {""}


def test_no_public_function_stands_where_a_module_is():
    """`keras_semisis.models.features` the function would hide a module of that name, or be hidden by it."""
    packages = [path.parent for path in PACKAGE.rglob("__init__.py")]
    hidden = []
    for package in packages:
        modules = {path.stem for path in package.glob("*.py")} | {path.name for path in package.iterdir() if path.is_dir()}
        for node in ast.walk(ast.parse((package / "__init__.py").read_text())):
            if isinstance(node, ast.ImportFrom) and node.module != ".".join(
                ("keras_semisis", *package.relative_to(PACKAGE).parts)
            ):
                names = modules & {alias.asname or alias.name for alias in node.names}
                hidden += [f"{node.module}.{name}" for name in names]
    assert len(packages) > 10
    # the program, which is no function, and a name within one
    assert set(hidden) <= {"keras_semisis.cli.app.app", "keras_semisis.cli.quiet_start.quiet_start"}
