import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from deepfeatiot_tf.language.blank_text import are_blank, is_blank
from deepfeatiot_tf.layers import CharacterNGrams

TEXTS = [
    "Umidità [%]",
    "umidita",
    "T_ext  °C",
    "temp",
    "a",
    "湿度 sensor",
    "Umidità [%]",
    "",
    "  \t",
    "PM2.5 pm2.5",
    "temp\u00a0[°C]",
    "\u3000",
]


def test_texts_are_as_alike_as_scikit_learn_has_them():
    found = np.array(CharacterNGrams(2**16)(tf.constant(TEXTS)))
    words = CountVectorizer(analyzer="char_wb", ngram_range=(1, 4), binary=True)
    expected = normalize(words.fit_transform(TEXTS).astype(float)).toarray()
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-5)


def test_a_text_is_of_length_one_and_a_blank_one_zeros():
    layer = CharacterNGrams(dtype="mixed_float16")
    assert CharacterNGrams.from_config(layer.get_config()).get_config() == layer.get_config()
    assert layer(tf.constant(TEXTS)).dtype == "float32"
    assert not layer.weights
    found = np.array(layer(tf.constant(TEXTS)))
    assert found.shape == (len(TEXTS), 4096)
    blank = np.array([not text.strip() for text in TEXTS])
    assert blank.sum() == 3
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.where(blank, 0.0, 1.0), atol=1e-6)
    np.testing.assert_array_equal(found[0], found[6])
    assert layer(tf.constant([], tf.string)).shape == (0, 4096)


def test_broken_utf_8_is_read_as_far_as_it_goes():
    found = np.array(CharacterNGrams()(tf.constant([b"temp\xff", b"\xc3"])))
    assert np.isfinite(found).all()
    assert found[0].any()


def test_a_model_around_it_survives_a_file_and_a_server(tmp_path):
    layer = CharacterNGrams(128, (2, 3))
    assert layer(keras.Input((), dtype="string")).shape == (None, 128)
    texts = tf.constant(TEXTS)
    model_texts = keras.Input((), dtype="string", name="texts")
    model = keras.Model(model_texts, layer(model_texts))
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(texts), layer(texts))
    model.export(tmp_path / "model", verbose=False)
    np.testing.assert_array_equal(tf.saved_model.load(str(tmp_path / "model")).serve(texts), layer(texts))


@pytest.mark.parametrize("options", [{"width": 0}, {"lengths": ()}, {"lengths": (0, 2)}])
def test_nonsense_is_refused(options):
    with pytest.raises(ValueError, match="at least 1"):
        CharacterNGrams(**options)


def test_blank_is_what_python_takes_for_white_space():
    spaces = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    texts = ["", *spaces, "".join(spaces), "a", " a ", "\u200b", "\ufeff", "\x00", "\x1b", "\u00ad"]
    assert are_blank(tf.constant(texts)).numpy().tolist() == [not text.strip() for text in texts]
    assert [is_blank(text) for text in texts] == [is_blank(text.encode()) for text in texts]
    assert not np.any(CharacterNGrams()(tf.constant(["".join(spaces)])))
