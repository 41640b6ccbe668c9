"""Label files mean the same wherever a command meets them: the model's label space reads them."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis import OASIS, checkpoints, gans, models
from keras_semisis.data import COCOStuff, DataError, Folder, LabelSpace
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.further_data import further_sources, training_sources
from keras_semisis.recipes.named_sources import folder_like
from keras_semisis.recipes.sources import open_data
from keras_semisis.recipes.trained_models import label_space_of_model, load_gan
from tests.cli.command import call
from tests.data.sources.test_benchmarks import coco_tree
from tests.gans.tiny import Scenes, tiny_gan

SIZE = (16, 16)
# stored ids of COCO-Stuff: person, wood, unlabeled
STORED = np.resize(np.array([0, 181, 255, 0, 0], np.uint8), SIZE)
CLASSES = np.resize(np.array([1, 182, 0, 1, 1], np.uint8), SIZE)
NAMES = ("sky", "road", "car")


def tiny(num_classes, ignore_class=None, **arguments):
    keras.utils.set_random_seed(0)
    return OASIS(
        num_classes,
        SIZE,
        ignore_class,
        perceptual=None,
        **{
            "generator": models.oasis_generator(num_classes, SIZE, 1, 4, num_blocks=1, hidden_channels=4),
            "discriminator": models.oasis_discriminator(num_classes, SIZE, (4,), 4),
        }
        | arguments,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model of COCO-Stuff, one that an earlier version might have saved, and a label map as it is stored."""
    place = tmp_path_factory.mktemp("spaces")
    gan = tiny(183, 0, label_space=COCOStuff.label_space)
    gan.save(place / "coco.keras")
    (place / "run").mkdir()
    gan.label_space = None
    for old in (place / "old.keras", place / "run" / "old.keras"):
        gan.save(old)
    space = COCOStuff.label_space
    (place / "run" / "settings.json").write_text(
        json.dumps(
            {
                "options": {"data": "coco_stuff:elsewhere", "id_map": []},
                "label_space": {"class_names": space.class_names, "palette": space.palette, "ignore_class": 0},
            }
        )
    )
    Image.fromarray(STORED).save(place / "scene.png")
    return place


def photo(place, model, *options):
    output = call("generate", place / model, place / "scene.png", "--output", place / "photos", *options)
    return output, np.asarray(Image.open(place / "photos" / "scene.png"))


def test_generate_draws_the_classes_that_stored_ids_stand_for(place):
    gan = keras.saving.load_model(place / "coco.keras")
    np.testing.assert_array_equal(gan.label_space.read(place / "scene.png"), CLASSES)
    right = photo(place, "coco.keras")[1]
    np.testing.assert_array_equal(photo(place, "coco.keras", "--id-map", "255=0")[1], right)  # says what the rule says
    assert (photo(place, "coco.keras", "--id-map", "255=1")[1] != right).any()
    # a model that takes ids for classes draws the same photo of the classes
    (place / "classes").mkdir()
    Image.fromarray(CLASSES).save(place / "classes" / "scene.png")  # the noise is that of the name
    note = call("generate", place / "old.keras", place / "classes" / "scene.png", "--output", place / "photos")
    assert "does not say what its 183 classes mean" in note
    np.testing.assert_array_equal(np.asarray(Image.open(place / "photos" / "scene.png")), right)
    assert "label id 182" in call("generate", place / "coco.keras", place / "classes" / "scene.png", code=1)


def test_an_older_model_in_its_run_folder_has_the_rule_of_its_data(place):
    output, drawn = photo(place, "run/old.keras")
    assert "Note" not in output
    np.testing.assert_array_equal(drawn, photo(place, "coco.keras")[1])
    assert "label id 255" in call("generate", place / "old.keras", place / "scene.png", code=1)


def test_a_copied_model_keeps_its_palette(tmp_path):
    space = LabelSpace(NAMES, [(0, 9, 200), (90, 90, 90), (200, 0, 0)])
    tiny(3, label_space=space).save(tmp_path / "gan.keras")
    Image.fromarray(space.colorize(np.full(SIZE, 2))).save(tmp_path / "red.png")
    gan = load_gan(tmp_path / "gan.keras")
    assert gan.label_space == space and label_space_of_model(gan, tmp_path / "gan.keras").read(tmp_path / "red.png").min() == 2
    call("generate", tmp_path / "gan.keras", tmp_path / "red.png", "--output", tmp_path / "photos")


def test_unpaired_and_validation_folders_are_read_as_the_data(tmp_path):
    coco_tree(tmp_path, [STORED[:6, :8]] * 4)
    for folder in ("more", "val/images", "val/labels"):
        (tmp_path / folder).mkdir(parents=True)
        Image.fromarray(STORED).save(tmp_path / folder / "a.png")
    train, val = open_data(f"coco_stuff:{tmp_path}", SIZE, validation_data=f"folder:{tmp_path / 'val'}")
    np.testing.assert_array_equal(val.load_label_map(0), CLASSES)
    settings = TrainSettings(f"coco_stuff:{tmp_path}", "", ratio=0.5, unpaired_labels=str(tmp_path / "more"))
    labels = training_sources(settings, train)[2]
    assert {tuple(np.unique(labels.load_label_map(i))) for i in range(len(labels))} == {(0, 1, 182)}


def make_folder(root, names, label_map, count=2):
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (*SIZE, 3), "uint8")).save(root / "images" / f"{i}.png")
        Image.fromarray(label_map).save(root / "labels" / f"{i}.png")
    if names:
        (root / "classes.csv").write_text("id,name,r,g,b\n" + "".join(f"{i},{n},{i},0,9\n" for i, n in enumerate(names)))
    return root


def test_a_validation_folder_of_another_order_is_refused_and_the_remedy_reads_it_right(tmp_path):
    label_map = np.resize(np.array([0, 1, 2, 2], np.uint8), SIZE)
    data = make_folder(tmp_path / "train", NAMES, label_map, 12)
    other = make_folder(tmp_path / "val", ("road", "sky", "car"), label_map)
    options = {"validation_data": f"folder:{other}"}
    with pytest.raises(DataError, match=r"0 sky, 1 road, 2 car.* 0 road, 1 sky, 2 car\. .*bring classes\.csv") as error:
        open_data(f"folder:{data}", SIZE, **options)
    (remedy,) = error.value.remedies
    (other / "classes.csv").write_text((data / "classes.csv").read_text())
    val = Folder(other, label_space=open_data(f"folder:{data}", SIZE, **options).train.label_space, **remedy.settings)
    np.testing.assert_array_equal(val.load_label_map(0), np.resize(np.array([1, 0, 2, 2]), SIZE))


@pytest.mark.parametrize("place", ["", "labels", "labels/val"])
def test_generate_refuses_label_maps_beside_other_classes(tmp_path, monkeypatch, place):
    tiny(3, label_space=LabelSpace(NAMES, [(0, 9, 200), (90, 90, 90), (200, 0, 0)])).save(tmp_path / "gan.keras")
    data = tmp_path / "data"
    (data / "labels" / "val").mkdir(parents=True)
    monkeypatch.chdir(data / "labels" / "val")
    Image.fromarray(np.resize(np.array([0, 1, 2], np.uint8), SIZE)).save("0.png")

    def generate(names, code=0, maps="."):
        rows = "".join(f"{i},{name}\n" for i, name in enumerate(names))
        (data / place / "classes.csv").write_text(f"id,name\n{rows}")
        return call("generate", tmp_path / "gan.keras", maps, "--output", tmp_path / "photos", code=code)

    for maps in (data / "labels" / "val", data / "labels" / "val" / "0.png", ".", "0.png"):
        output = generate(("sky", "fence", "car"), 1, maps)
        assert "The model: 0 sky, 1 road, 2 car." in output and "0 sky, 1 fence, 2 car." in output
        assert f"classes of {data / place / 'classes.csv'}" in output and not (tmp_path / "photos").exists()
    for names in (NAMES, ("class 0", "class 1", "class 2")):
        generate(names)


def test_classes_beside_do_not_know_the_class_that_was_made_of_ignored_ids(tmp_path):
    space = LabelSpace(NAMES[:2], [(0, 9, 200), (90, 90, 90)]).with_void()
    tiny(3, 2, label_space=space).save(tmp_path / "gan.keras")
    data = make_folder(tmp_path / "data", NAMES[:2], np.resize(np.array([0, 1, 2], np.uint8), SIZE), 1)
    call("generate", tmp_path / "gan.keras", data / "labels", "--output", tmp_path / "photos")


def test_evaluate_refuses_data_of_another_order_and_reads_unnamed_ones_by_the_model(tmp_path):
    space = LabelSpace(NAMES, [(0, 9, 200), (90, 90, 90), (200, 0, 0)]).with_ids({255: 2})
    tiny(3, label_space=space).save(tmp_path / "gan.keras")
    image = keras.Input((*SIZE, 3))
    network = keras.Model(image, keras.layers.Conv2D(3, 1)(image))
    for name, names in (("same", NAMES), ("other", ("road", "sky", "car"))):
        models.LabeledModel.of(network, LabelSpace(names, space.palette)).save(tmp_path / f"{name}.keras")
    label_map = np.resize(np.array([0, 1, 1, 255], np.uint8), SIZE)

    def evaluate(names, code=0, segmenter="same"):
        root = tmp_path / ("unnamed" if names is None else names[0])
        data, others = (f"folder:{make_folder(root / name, names, label_map)}" for name in ("data", "others"))
        return call(
            "evaluate",
            tmp_path / "gan.keras",
            "--data",
            data,
            "--validation-data",
            others,
            "--features",
            "none",
            "--cache",
            tmp_path / "cache",
            "--segmenter",
            tmp_path / f"{segmenter}.keras",
            "--output",
            tmp_path / "r.json",
            code=code,
        )

    refused = evaluate(("road", "sky", "car"), code=1)
    assert "The model: 0 sky, 1 road, 2 car." in refused and "0 road, 1 sky, 2 car." in refused and refused.count("\n") == 1
    assert "The segmenter: 0 road, 1 sky, 2 car." in evaluate(NAMES, code=1, segmenter="other")
    for names in (None, NAMES):
        evaluate(names)
        table = json.loads((tmp_path / "r.json").read_text())["per_class"]
        assert [row["name"] for row in table] == list(NAMES)


@pytest.mark.parametrize(
    ("family", "network", "last"), [("oasis", "oasis_generator", "wood"), ("spade", "spade_generator", "unknown")]
)
def test_an_imported_generator_knows_the_data_set_of_its_family(tmp_path, family, network, last):
    sizes = {"base_channels": 1, **({"noise_channels": 2} if family == "oasis" else {})}
    weights = tmp_path / "weights.npz"
    generator = getattr(models, network)(183, (32, 32), **sizes)
    checkpoints.save_reference_weights(generator, weights, family=family)
    output = tmp_path / "generator.keras"
    options = [part for name, value in sizes.items() for part in ("--option", f"{name}={value}")]
    printed = call(
        "import", weights, "--network", network, "--num-classes", 183, "--image-size", "32x32", *options, "--output", output
    )
    assert f"182 {last}" in printed
    space = keras.saving.load_model(output).label_space
    Image.fromarray(STORED).save(tmp_path / "scene.png")
    # the programs of OASIS shift stored ids by one, those of SPADE put unlabeled after the others
    expected = {"oasis": CLASSES, "spade": np.where(STORED == 255, 182, STORED)}[family]
    np.testing.assert_array_equal(space.read(tmp_path / "scene.png"), expected)
    named = [space.class_names[i] for i in expected[0, :3]]
    assert named == ["person", "wood", "unknown"] and space.ignore_class == expected[0, 2]
    gan = load_gan(output)
    assert gan.label_space == space and gan.ignore_class == space.ignore_class


def test_other_numbers_of_classes_tell_no_data_set():
    assert checkpoints.published_label_space("oasis", 12) is checkpoints.published_label_space("drn", 35) is None
    ade20k = checkpoints.published_label_space("cc_fpse", 151)
    assert (ade20k.class_names[0], ade20k.id_map[0], ade20k.id_map[150]) == ("wall", 150, 149)
    assert checkpoints.published_label_space("spade", 35).class_names[7] == "road"


# train --init

TRAIN = (
    "train --method oasis --image-size 16x16 --batch-size 2 --base-channels 1 --noise-channels 4 --num-blocks 1 "
    "--hidden-channels 4 --discriminator-channels 4 --discriminator-final-channels 4 --steps 1"
).split()


def test_a_training_begins_with_the_weights_of_a_file(tmp_path):
    from keras_semisis.recipes.initial_weights import start_from

    space = LabelSpace(NAMES, [(0, 9, 200), (90, 90, 90), (200, 0, 0)])
    first = tiny(3, label_space=space, trunks={"discriminator": ["VGG"]})
    for variable in first.variables:
        if variable.dtype == "float32":
            variable.assign(np.full(variable.shape, 0.25, "float32"))
    first.save(tmp_path / "first.keras")
    second = tiny(3, label_space=space)
    start_from(second, tmp_path / "first.keras")
    for name in ("generator", "discriminator", "ema_generator"):
        for mine, given in zip(getattr(second, name).get_weights(), getattr(first, name).get_weights(), strict=True):
            np.testing.assert_array_equal(mine, given, err_msg=name)
    assert second.step == 0 and second.trunks == first.trunks == {"discriminator": ["VGG"]}  # none of them may judge it


def test_a_preset_without_a_segmenter_gives_its_generator(tmp_path, told):
    from keras_semisis.recipes.initial_weights import start_from

    space = LabelSpace(NAMES, [(0, 9, 200), (90, 90, 90), (200, 0, 0)])
    network = {"generator": models.oasis_generator(3, SIZE, 1, 4, num_blocks=1, hidden_channels=4)}
    gans.Sampler(**network, label_space=space).save_to_preset(tmp_path / "preset")
    usis = gans.USIS(
        3,
        SIZE,
        **network,
        segmenter=models.oasis_discriminator(3, SIZE, channels=(4,), final_channels=4),
        unconditional_discriminator=models.wavelet_discriminator(SIZE, {4: 4, 16: 4}),
        label_space=space,
    )
    start_from(usis, tmp_path / "preset")
    assert "Begins with generator of" in (text := told()) and "new: segmenter, unconditional discriminator." in text


@pytest.mark.parametrize("confidence", [None, 0.5])
def test_what_gives_pseudo_labels_begins_with_the_weights_of_a_file(confidence, tmp_path):
    from keras_semisis.recipes.initial_weights import start_from

    settings = {"compile": False, "label_space": Scenes.label_space}
    first = tiny_gan(**settings, pseudo_label_confidence=confidence)
    known = first.discriminator if confidence is None else first.ema_discriminator
    known.set_weights([weights + 0.25 for weights in known.get_weights()])
    first.save(tmp_path / "first.keras")
    second = tiny_gan(**settings, pseudo_label_confidence=0.5)
    start_from(second, tmp_path / "first.keras")
    for mine, given in zip(second.ema_discriminator.get_weights(), known.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, given)


def test_what_a_training_cannot_begin_with_is_refused(tmp_path):
    space = LabelSpace(NAMES, [(0, 9, 200), (90, 90, 90), (200, 0, 0)])
    tiny(3, label_space=LabelSpace(("road", "sky", "car"), space.palette)).save(tmp_path / "other.keras")
    tiny(3, label_space=space, generator=models.oasis_generator(3, SIZE, 2, 4, num_blocks=1, hidden_channels=4)).save(
        tmp_path / "wide.keras"
    )
    data = make_folder(tmp_path / "data", NAMES, np.resize(np.array([0, 1, 2, 2], np.uint8), SIZE), 6)
    for name, words in (("other", "0 road, 1 sky, 2 car"), ("wide", "its generator has"), ("none", "no such model")):
        output = call(
            *TRAIN, "--data", f"folder:{data}", "--init", tmp_path / f"{name}.keras", "--output", tmp_path / "run", code=1
        )
        assert words in output.splitlines()[-1] and not (tmp_path / "run" / "settings.json").exists()


def two_folders(tmp_path, places, headers=("id,name,r,g,b", "id,name,r,g,b"), last=1):
    """Folders of pairs, each with a classes.csv at a place below it, in another order of classes if it is the second."""
    for folder, place, names, header in zip(("a", "b"), places, (("sky", "road"), ("road", "sky")), headers, strict=True):
        root = tmp_path / folder
        for kind in ("images", "labels"):
            (root / kind).mkdir(parents=True)
            for i in range(2):
                array = np.zeros((4, 4, 3) if kind == "images" else (4, 4), np.uint8)
                if kind == "labels":
                    array[0] = last
                Image.fromarray(array).save(root / kind / f"{i}.png")
        rows = [f"{i},{name},{9 * i},0,0" for i, name in enumerate(names)]
        rows = [row if "r" in header.split(",") else ",".join(row.split(",")[:2]) for row in rows]
        (root / place).write_text("\n".join([header, *rows]))
    return f"folder:{tmp_path / 'a'}", tmp_path / "b"


@pytest.mark.parametrize("place", ["classes.csv", "labels/classes.csv", "images/_classes.csv"])
def test_the_classes_of_further_data_are_compared_wherever_a_folder_may_name_them(tmp_path, place):
    data, other = two_folders(tmp_path, ("classes.csv", place))
    with pytest.raises(DataError, match=f"classes of .*{place} are not those of --data"):
        open_data(data, (4, 4), validation_data=f"folder:{other}")
    if "images" not in place:
        settings = TrainSettings(data, "", ratio=1.0, unpaired_labels=str(other / "labels"))
        with pytest.raises(DataError, match=f"classes of .*{place} are not those of --data"):
            further_sources(settings, open_data(data, (4, 4)).train.label_space)


def test_the_splits_of_a_folder_must_name_the_same_classes(tmp_path):
    _, other = two_folders(tmp_path, ("_classes.csv", "_classes.csv"))
    (tmp_path / "a").rename(tmp_path / "train")
    other.rename(tmp_path / "valid")
    with pytest.raises(DataError, match=r"classes of .*_classes\.csv are not those of the training split"):
        open_data(f"folder:{tmp_path}", (4, 4))


def test_ignored_ids_of_validation_data_whose_classes_have_no_colors(tmp_path):
    data, other = two_folders(tmp_path, ("classes.csv", "classes.csv"), headers=("id,name", "id,name"), last=255)
    (other / "classes.csv").write_text((tmp_path / "a" / "classes.csv").read_text())
    train, val = open_data(data, (4, 4), ignore_class=255, validation_data=f"folder:{other}")
    assert train.load_label_map(0)[0].tolist() == val.load_label_map(0)[0].tolist() == [2, 2, 2, 2]


def test_a_path_keeps_its_letter_case_in_the_list_of_classes():
    space = LabelSpace(("sky", "road"), ((0, 0, 255), (90, 90, 90)))
    with pytest.raises(DataError, match=r"The model: 0 sky, 1 road\. car/classes\.csv: 0 road"):
        space.require_same_classes(LabelSpace(("road", "sky"), space.palette), "the model", "car/classes.csv")


@pytest.mark.parametrize("header", ["id,name,r,g,b", "id,name"])
def test_ids_of_a_folder_that_names_its_classes_are_none_of_a_benchmarks(tmp_path, header):
    space = COCOStuff.label_space
    rows = [",".join(map(str, (i, name, i, 0, 0)[: header.count(",") + 1])) for i, name in enumerate(space.class_names)]
    (tmp_path / "classes.csv").write_text("\n".join([header, *rows]))
    (tmp_path / "labels").mkdir()
    Image.fromarray(np.full((4, 4), 5, np.uint8)).save(tmp_path / "labels" / "a.png")
    source = folder_like(tmp_path, space, "the model", images=None)
    assert source.load_label_map(0).max() == 5
