import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import StratifiedKFold

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.training import closed_form
from deepfeatiot_tf.training.closed_form import FOLDS, PENALTIES, PENALTY, SCALE, ridge_head
from deepfeatiot_tf.training.temperature import fit_temperature


def made_up(rng, n, noise):
    labels = rng.integers(0, 3, n)
    centres = np.array([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]])
    return (centres[labels] + noise * rng.normal(size=(n, 4))).astype("float32"), np.eye(3, dtype="float32")[labels]


def test_separable_classes_are_told_apart(rng):
    features, one_hot = made_up(rng, 60, 0.1)
    kernel, bias, *_ = ridge_head(features, one_hot)
    assert kernel.shape == (4, 3)
    assert bias.shape == (3,)
    assert np.array_equal((features @ kernel + bias).argmax(1), one_hot.argmax(1))


def test_confidence_on_unseen_series_is_about_the_accuracy(rng):
    # The temperature comes from left-out predictions; from the fitted ones it would promise far too much.
    features, one_hot = made_up(rng, 80, 1.5)
    wide = np.concatenate([features, rng.normal(size=(80, 200)).astype("float32")], axis=1)
    kernel, bias, *_ = ridge_head(wide, one_hot)
    fresh, truth = made_up(rng, 2000, 1.5)
    fresh = np.concatenate([fresh, rng.normal(size=(2000, 200)).astype("float32")], axis=1)
    probabilities = softmax(fresh @ kernel + bias, axis=1)
    accuracy = np.mean(probabilities.argmax(1) == truth.argmax(1))
    assert abs(probabilities.max(1).mean() - accuracy) < 0.1


def test_weights_favour_the_class_they_are_given_to(rng):
    features, one_hot = made_up(rng, 90, 2.0)
    kernel, bias, *_ = ridge_head(features, one_hot)
    kernel2, bias2, *_ = ridge_head(features, one_hot, np.where(one_hot[:, 0] > 0, 10.0, 1.0))
    chosen = [np.sum((features @ k + b).argmax(1) == 0) for k, b in ((kernel, bias), (kernel2, bias2))]
    assert chosen[1] > chosen[0]


def test_a_left_out_series_is_answered_as_by_a_head_that_never_saw_it(rng):
    # Two series with the same features and other labels: each is answered with the other's label when left out.
    features, one_hot = made_up(rng, 40, 0.1)
    features[1] = features[0]
    one_hot[0], one_hot[1] = np.eye(3)[0], np.eye(3)[1]
    wide = np.concatenate([features, rng.normal(size=(40, 100)).astype("float32")], axis=1)
    wide[1] = wide[0]
    kernel, bias, left_out, _ = ridge_head(wide, one_hot)
    np.testing.assert_allclose(left_out.sum(axis=1), 1.0, atol=1e-6)
    assert left_out[0, 1] > left_out[0, 0]
    assert left_out[1, 0] > left_out[1, 1]
    fitted = softmax(wide @ kernel + bias, axis=1)
    right = one_hot.argmax(1)
    assert left_out[np.arange(40), right].mean() < fitted[np.arange(40), right].mean()


def test_classes_that_were_never_confused_are_not_answered_with_certainty(rng):
    features, one_hot = made_up(rng, 60, 0.01)
    kernel, bias, *_ = ridge_head(features, one_hot)
    assert softmax(features @ kernel + bias, axis=1).max() < 0.999


def test_series_that_count_for_nothing_are_not_learned_from_and_answered_all_the_same(rng):
    features, one_hot = made_up(rng, 60, 0.5)
    weights = np.where(one_hot[:, 2] > 0, 0.0, 1.0)
    kernel, bias, left_out, _ = ridge_head(features, one_hot, weights)
    assert np.isfinite(left_out).all()
    assert not ((features @ kernel + bias).argmax(axis=1) == 2).any()


def test_series_that_count_for_next_to_nothing_have_no_say_in_penalty_and_temperature(rng):
    features = rng.normal(size=(60, 5)).astype("float32")
    one_hot = np.eye(2, dtype="float32")[(features[:, 0] > 0).astype(int)]
    one_hot[40:] = one_hot[40:, ::-1]  # wrong ones
    heads = [ridge_head(features, one_hot, np.r_[np.ones(40), np.full(20, weight)]) for weight in (0.0, 1e-9)]
    np.testing.assert_allclose(heads[0].kernel, heads[1].kernel, rtol=0.2)


def test_classes_count_in_the_regression_and_are_as_frequent_as_they_are_in_the_temperature(rng, monkeypatch):
    features = rng.normal(size=(60, 5)).astype("float32")
    one_hot = np.eye(2, dtype="float32")[(features[:, 0] + rng.normal(size=60) > 0).astype(int)]
    asked = []

    def temperature(true, logits, weights):
        asked.append(weights)
        return fit_temperature(true, logits, weights)

    monkeypatch.setattr(closed_form, "fit_temperature", temperature)
    plain, leaning = (ridge_head(features, one_hot, class_weight=each) for each in (None, {1: 50.0}))
    assert np.diff(leaning.bias)[0] > np.diff(plain.bias)[0]
    np.testing.assert_array_equal(asked, 1.0)


@pytest.mark.parametrize("rows", [1, 3])
def test_one_series_is_too_few(rows):
    features, one_hot = np.ones((rows, 2), "float32"), np.eye(2, dtype="float32")[[0] * rows]
    with pytest.raises(InputError, match="one series is too few"):
        ridge_head(features, one_hot, series=np.zeros(rows, int))


def logits(probabilities):
    """Up to what a softmax does not see: the mean of each row."""
    found = np.log(probabilities)
    return found - found.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("width", [4, 100])
def test_it_is_scikit_learns_ridge_whatever_the_penalty_it_chooses(rng, width):
    features, one_hot = made_up(rng, 60, 1.0)
    features = np.concatenate([features, rng.normal(size=(60, width - 4)).astype("float32")], axis=1)
    weights = rng.uniform(0.5, 2, 60)
    kernel, bias, left_out, _ = ridge_head(features, one_hot, weights)
    known = RidgeCV(PENALTIES, scoring="neg_mean_squared_error", store_cv_results=True)
    known.fit(features, one_hot, sample_weight=weights)
    scale = np.linalg.norm(kernel) / np.linalg.norm(known.coef_)  # the temperature
    np.testing.assert_allclose(kernel, scale * known.coef_.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(bias, scale * known.intercept_, rtol=1e-4, atol=1e-5)
    answers = known.cv_results_[..., list(PENALTIES).index(known.alpha_)]
    np.testing.assert_allclose(
        logits(left_out), scale * (answers - answers.mean(axis=1, keepdims=True)), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("width", [4, 100])
def test_rows_of_one_series_are_left_out_together_and_the_first_is_asked_about(rng, width):
    features, one_hot = made_up(rng, 30, 1.0)
    features = np.concatenate([features, rng.normal(size=(30, width - 4)).astype("float32")], axis=1)
    windows = features + 0.1 * rng.normal(size=features.shape).astype("float32")
    rows, labels = np.concatenate([features, windows[::-1]]), np.concatenate([one_hot, one_hot[::-1]])
    series = np.concatenate([np.arange(30), np.arange(30)[::-1]])
    kernel, _, left_out, _ = ridge_head(rows, labels, series=series)
    assert left_out.shape == (30, 3)
    outside = series != 7
    errors = []
    for penalty in PENALTIES:  # the penalty that was chosen, by what it gave
        fitted = Ridge(penalty).fit(rows, labels)
        errors.append(np.abs(kernel / np.linalg.norm(kernel) - fitted.coef_.T / np.linalg.norm(fitted.coef_)).max())
    chosen = PENALTIES[int(np.argmin(errors))]
    fitted, without = Ridge(chosen).fit(rows, labels), Ridge(chosen).fit(rows[outside], labels[outside])
    scale = np.linalg.norm(kernel) / np.linalg.norm(fitted.coef_)
    answer = without.predict(features[7:8])
    np.testing.assert_allclose(logits(left_out[7:8]), scale * (answer - answer.mean()), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("width", [4, 100])
def test_cross_validated_answers_are_those_of_heads_solved_on_the_other_folds(rng, width):
    features, one_hot = made_up(rng, 60, 1.0)
    features = np.concatenate([features, rng.normal(size=(60, width - 4)).astype("float32")], axis=1)
    series = np.tile(np.arange(60), 2)
    rows = features[series] + 0.1 * (np.arange(120) >= 60)[:, None] * rng.normal(size=(120, width)).astype("float32")
    solved = ridge_head(rows, one_hot[series], series=series)
    rest, fold = next(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(features, one_hot.argmax(axis=1)))
    inside = np.isin(series, rest)
    misses = []
    for penalty in PENALTIES:  # of which one was chosen
        whole = Ridge(penalty).fit(rows, one_hot[series])
        answers = Ridge(penalty).fit(rows[inside], one_hot[series][inside]).predict(features[fold])
        scale = np.linalg.norm(solved.kernel) / np.linalg.norm(whole.coef_)
        answers = scale * (answers - answers.mean(axis=1, keepdims=True))
        misses.append(np.abs(logits(solved.cross_validated[fold]) - answers).max())
    assert min(misses) < 1e-3


def test_a_head_that_found_nothing_gives_no_label_away_by_cross_validation(rng):
    one_hot = np.eye(2, dtype="float32")[np.arange(60) % 2]
    solved = ridge_head(np.zeros((60, 3), "float32"), one_hot)
    right = one_hot.argmax(axis=1)
    lean = np.take_along_axis(solved.left_out, right[:, None], axis=1) - 0.5
    assert (lean < -1e-5).all()  # each leans to the class that is not one short
    np.testing.assert_allclose(solved.cross_validated, 0.5, atol=1e-6)


def test_a_class_of_one_series_has_no_say_in_the_penalty(rng):
    features, one_hot = made_up(rng, 40, 0.5)
    alone = np.eye(4, dtype="float32")[[3]]
    features = np.concatenate([features, np.full((1, 4), 50, "float32")])
    four = np.concatenate([np.pad(one_hot, ((0, 0), (0, 1))), alone])
    kernel, *_ = ridge_head(features, four)
    errors = []
    for penalty in PENALTIES:
        rests = [np.delete(np.arange(41), left) for left in range(40)]
        answers = [
            Ridge(penalty).fit(features[rest], four[rest]).predict(features[[i]])[0] for i, rest in enumerate(rests)
        ]
        errors.append(np.mean((np.array(answers) - four[:40]) ** 2))
    chosen = Ridge(PENALTIES[int(np.argmin(errors))]).fit(features, four).coef_.T
    np.testing.assert_allclose(kernel / np.linalg.norm(kernel), chosen / np.linalg.norm(chosen), rtol=1e-3, atol=1e-5)


def test_one_series_of_each_class_is_learned_from_without_a_choice(rng):
    features, one_hot = rng.normal(size=(3, 20)).astype("float32"), np.eye(3, dtype="float32")
    kernel, bias, left_out, cross_validated = ridge_head(features, one_hot)
    known = Ridge(PENALTY).fit(features, one_hot)
    np.testing.assert_allclose(kernel, SCALE * known.coef_.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(bias, SCALE * known.intercept_, rtol=1e-4, atol=1e-5)
    assert not (left_out.argmax(axis=1) == np.arange(3)).any()
    np.testing.assert_array_equal(cross_validated, left_out)  # there are no folds of such
