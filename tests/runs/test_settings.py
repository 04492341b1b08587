import inspect
from dataclasses import fields

import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models import DeepFeatIoT, DeepHeteroIoT, DeepMetaIoT
from deepfeatiot_tf.runs import RunSettings


def test_the_model_has_every_option_with_the_same_default_but_the_head():
    parameters = inspect.signature(DeepFeatIoT.__init__).parameters
    defaults = {name: parameters[name].default for name in RunSettings().model_options}
    # In Python the class is the paper's network; a run begins with what is best on a few hundred sensors.
    assert RunSettings().model_options == {**defaults, "head": "closed_form"}


def test_settings_from_a_file_equal_those_that_were_written():
    settings = RunSettings(branches=("randomized", "statistics"), dilation=(1, 8), test="paper")
    assert settings.differences(settings.to_json()) == []


def test_each_difference_is_named_with_both_values():
    recorded = RunSettings(branches=("statistics",), seed=1).to_json()
    assert RunSettings(epochs=50).differences(recorded) == [
        "branches=statistics, not None",
        "epochs=40, not 50",
        "seed=1, not 0",
    ]


def test_a_setting_that_an_older_run_did_not_know_had_its_default():
    recorded = RunSettings().to_json()
    del recorded["balance"]
    assert RunSettings().differences(recorded) == []
    assert RunSettings(balance=True).differences(recorded) == ["balance=False, not True"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kernels", 0),
        ("epochs", 0),
        ("batch_size", -1),
        ("batch_size", 2**31),
        ("patience", 0),
        ("seed", -1),
        ("validation", 0),
    ],
)
def test_a_number_out_of_range_is_named(name, value):
    with pytest.raises(InputError, match=f"{name} is {value}"):
        RunSettings(**{"head": "mlp", name: value})


def test_what_no_run_could_finish_with_is_told_before_it_begins():
    with pytest.raises(InputError, match="branches has one twice: statistics, statistics"):
        RunSettings(branches=("statistics", "statistics"))
    with pytest.raises(InputError, match="monitor is 'val_f1'; give one of val_loss, "):
        RunSettings(monitor="val_f1")


def test_a_closed_form_head_selects_nothing_so_it_learns_from_the_validation_part_too():
    assert RunSettings(head="closed_form").validation == 0
    assert RunSettings(head="mlp").validation == 0.15


def test_what_has_no_part_in_the_model_is_known():
    given = {"patience": 3, "feature_dropout": 0.3, "batch_size": 8, "kernels": 99, "epochs": 50}
    assert RunSettings(**given).idle == ["feature_dropout", "epochs", "patience"]
    assert RunSettings(**given, head="mlp").idle == ["patience"]
    assert RunSettings(**given, variant="paper").idle == []
    assert RunSettings(**given, branches=("statistics",)).idle == ["kernels", "feature_dropout", "epochs", "patience"]
    local = {"head": "mlp", "branches": ("local",), "global_stride": 2, "modality_dropout": 0.1}
    assert RunSettings(**local).idle == ["global_stride", "modality_dropout"]
    assert RunSettings(model="deepmetaiot", modality_dropout=0.1).idle == []
    for settings in (RunSettings(), RunSettings(head="mlp"), RunSettings(variant="paper"), RunSettings(epochs=40)):
        assert settings.idle == []


def test_each_model_gets_its_own_settings_and_no_other():
    assert RunSettings(model="deepmetaiot").text_encoder == "minilm"
    assert RunSettings(model="deepmetaiot").validation == 0.15
    for model, build in (("deepmetaiot", DeepMetaIoT), ("deepheteroiot", DeepHeteroIoT)):
        parameters = inspect.signature(build.__init__).parameters
        defaults = {name: parameters[name].default for name in RunSettings(model=model).model_options}
        assert RunSettings(model=model).model_options == defaults
    with pytest.raises(InputError, match="text_encoder is no setting of deepheteroiot"):
        RunSettings(model="deepheteroiot", text_encoder="minilm")
    with pytest.raises(InputError, match="language is no setting of deepmetaiot"):
        RunSettings(model="deepmetaiot", language="gpt2")
    with pytest.raises(InputError, match="model is 'rocket'; give one of deepfeatiot"):
        RunSettings(model="rocket")


def test_settings_can_be_compared_because_all_of_them_are_recorded():
    assert set(RunSettings().to_json()) == {field.name for field in fields(RunSettings)}


def test_a_learning_rate_that_falls_has_forty_epochs_to_fall_in():
    assert RunSettings(head="mlp").epochs == 40
    assert RunSettings(variant="paper").epochs == 200
    assert RunSettings(model="deepheteroiot").epochs == 40
    assert RunSettings(model="deepmetaiot", variant="paper").epochs == 200
    assert RunSettings(variant="paper", recipe="robust").epochs == 40
    assert RunSettings(head="blend", epochs=7).epochs == 7
