import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import simulate_fleet
from deepfeatiot_tf.readings import simulate_quantities as quantities
from deepfeatiot_tf.readings import simulate_weather as weather
from deepfeatiot_tf.readings.simulate_devices import lose, spiking, stuck, to_resolution
from deepfeatiot_tf.readings.simulate_names import LANGUAGES, describe


@pytest.fixture(scope="module")
def fleet():
    return simulate_fleet(480, seed=3)


@pytest.fixture(scope="module")
def flawless():
    return simulate_fleet(480, seed=4, missing=0, faults=0)


def of_type(fleet, label):
    return fleet.values[fleet.labels == label]


@settings(max_examples=15)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40), st.integers(0, 2**63))
def test_a_chunk_is_the_same_as_that_part_of_the_whole(before, n, length, seed):
    whole = simulate_fleet(before + n, seed=seed, length=length)
    chunk = simulate_fleet(n, seed=seed, length=length, start=before)
    part = whole.take(np.arange(before, before + n))
    assert chunk.checksum == part.checksum
    assert chunk.ids.tolist() == part.ids.tolist()


def test_the_seed_decides_everything():
    assert simulate_fleet(40, seed=1).checksum == simulate_fleet(40, seed=1).checksum
    assert simulate_fleet(40, seed=1).checksum != simulate_fleet(40, seed=2).checksum


def test_any_length_works_and_every_series_has_a_reading_even_with_many_gaps():
    for length in (1, 2, 7, 1000):
        fleet = simulate_fleet(48, length=length, missing=0.5, faults=1)
        assert fleet.values.shape == (48, length)
        assert np.isfinite(fleet.values).any(axis=1).all()


def test_types_are_balanced_and_known_even_when_few_sensors_are_made(fleet):
    assert len(fleet.class_names) == 16
    assert set(np.unique(fleet.labels, return_counts=True)[1]) == {30}
    assert simulate_fleet(1).class_names == fleet.class_names


def test_series_differ_in_length_and_without_gaps_only_their_ends_are_missing(flawless):
    missing = np.isnan(flawless.values)
    lengths = (~missing).sum(axis=1)
    assert len(np.unique(lengths)) > 20
    assert (lengths == 168).mean() == pytest.approx(0.8, abs=0.07)
    assert (np.diff(missing.astype(int), axis=1) >= 0).all()


def test_the_mean_share_of_lost_readings_is_the_one_asked_for():
    rng = np.random.default_rng(0)
    lost = np.isnan([lose(rng, np.ones(200), 0.06) for _ in range(1500)])
    assert lost.mean() == pytest.approx(0.06, abs=0.01)
    assert (lost.sum(axis=1) == 0).mean() > 0.6


def test_readings_obey_the_limits_of_their_quantity(flawless):
    humidity = of_type(flawless, "relative humidity")
    assert np.nanmin(humidity) >= 0
    assert np.nanmax(humidity) <= 100
    direction = of_type(flawless, "wind direction")
    assert np.nanmin(direction) >= 0
    assert np.nanmax(direction) <= 360
    for label in ("wind speed", "precipitation", "illuminance", "PM2.5", "soil moisture"):
        assert np.nanmin(of_type(flawless, label)) >= 0


def test_units_are_mixed_as_in_a_fleet_of_many_owners():
    pressure = np.nanmedian(of_type(simulate_fleet(16 * 80, faults=0), "air pressure"), axis=1)
    for low, high in ((22, 32), (75, 108), (570, 800), (800, 1060), (75_000, 106_000)):
        assert ((pressure > low) & (pressure < high)).any()  # inHg, kPa, mmHg, hPa, Pa


def test_readings_have_the_resolution_of_a_device():
    assert to_resolution(np.array([20.13, 20.16, -0.04]), 0.1).tolist() == [20.1, 20.2, 0.0]
    assert to_resolution(np.array([100.0]), 22.5).tolist() == [90.0]


def test_a_stuck_device_repeats_and_a_spiking_one_jumps():
    rng = np.random.default_rng(1)
    readings = np.arange(1.0, 501)
    assert (np.diff(stuck(rng, readings)) == 0).sum() > 10
    hit = spiking(rng, readings) != readings
    assert 0 < hit.mean() < 0.1


def test_the_sun_stands_where_astronomy_says():
    equinox, noon = np.array([81.0]), np.array([12.0])
    assert weather.sun_elevation(0, equinox, noon) == pytest.approx(1, abs=1e-3)
    assert weather.sun_elevation(50, equinox, noon) == pytest.approx(np.sin(np.deg2rad(40)), abs=0.01)
    assert weather.sun_elevation(50, equinox, np.array([0.0])) < 0
    midsummer = np.array([172.0])
    assert weather.sun_elevation(68, midsummer, np.array([0.0])) > 0  # beyond the polar circle


def test_humidity_and_pressure_follow_the_textbook():
    twenty = np.array([20.0])
    assert weather.relative_humidity(twenty, twenty) == pytest.approx(100)
    assert weather.relative_humidity(twenty, np.array([9.27])) == pytest.approx(50, abs=0.2)
    assert weather.station_pressure(np.array([1013.25]), 1000) == pytest.approx(898.7, abs=0.3)


def test_noise_is_stationary_with_unit_variance_and_remembers_as_long_as_asked():
    rng = np.random.default_rng(0)
    noise = np.array([weather.red_noise(rng, 200, 2.0) for _ in range(3000)])
    assert noise[:, 0].std() == pytest.approx(1, abs=0.05)
    assert noise[:, -1].std() == pytest.approx(1, abs=0.05)
    two_hours = round(2 / weather.STEP_HOURS)
    assert (noise[:, 0] * noise[:, two_hours]).mean() == pytest.approx(np.exp(-1), abs=0.06)


def test_the_sensors_of_a_site_see_the_same_weather():
    rng = np.random.default_rng(5)
    sites = [weather.simulate_site(rng, 12 * 24 * 7) for _ in range(30)]
    correlation = np.median([np.corrcoef(site.temperature, site.humidity)[0, 1] for site in sites])
    assert correlation < -0.3  # warm air of the same moisture is drier
    for site in sites:
        assert site.radiation[site.sun < 0].max(initial=0) == 0
        assert site.humidity.max() <= 100
        dark = quantities.solar_radiation(site, rng)[site.sun < 0]
        assert (np.abs(dark) <= 1.5).all()
        assert quantities.snow_height(site, rng).min() > -3
        assert (site.pressure > 930).all()
        assert (site.pressure < 1080).all()


def test_an_empty_room_returns_to_the_outdoor_level():
    rng = np.random.default_rng(0)
    levels = [quantities.co2(weather.simulate_site(rng, 12 * 24 * 7), rng).min() for _ in range(60)]
    assert 395 < np.quantile(levels, 0.1) < 460


def test_names_come_in_six_languages_and_some_are_blank_or_useless(fleet):
    assert 0.04 < (fleet.metadata == "").mean() < 0.18
    assert np.isin(fleet.metadata, ["P10", "ch_3", "field1", "A0", "val", "x", "sensor"]).sum() > 10
    rng = np.random.default_rng(0)
    for language, word in zip(LANGUAGES, ["wind", "wind", "vent", "vento", "viento", "vento"], strict=True):
        names = [describe(rng, "wind speed", "m/s", language).lower() for _ in range(60)]
        assert any(word in name for name in names)
        assert any("m/s" in name for name in names)
    damaged = [describe(rng, "relative humidity", "%", "it") for _ in range(400)]
    assert any("Ã" in name for name in damaged)


def test_every_type_has_names_in_every_language():
    rng = np.random.default_rng(0)
    for kind in quantities.SENSOR_TYPES:
        for language in LANGUAGES:
            assert any(describe(rng, kind.label, "", language) for _ in range(20))


def test_types_can_be_learned_but_not_without_effort():
    train, test = simulate_fleet(640, seed=0), simulate_fleet(320, seed=0, start=640)

    def statistics(fleet):
        quantiles = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]
        steps = np.diff(fleet.values, axis=1)
        parts = [np.nanquantile(part, quantiles, axis=1).T for part in (fleet.values, steps)]
        same = np.nanmean(np.where(np.isnan(steps), np.nan, steps == 0), axis=1, keepdims=True)
        whole = np.nanmean(np.where(np.isnan(fleet.values), np.nan, fleet.values % 1 == 0), axis=1)
        return np.hstack([*parts, same, whole[:, None]])

    trees = ExtraTreesClassifier(100, random_state=0).fit(statistics(train), train.labels)
    assert 0.7 < trees.score(statistics(test), test.labels) < 0.97


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n=-1"),
        ({"n": 1, "seed": -1}, "seed=-1"),
        ({"n": 1, "start": -1}, "start=-1"),
        ({"n": 1, "length": 0}, "length=0"),
        ({"n": 1, "missing": 0.6}, "missing=0.6"),
        ({"n": 1, "faults": 1.5}, "faults=1.5"),
    ],
)
def test_arguments_out_of_range_are_told(arguments, message):
    with pytest.raises(InputError, match=message):
        simulate_fleet(**arguments)
