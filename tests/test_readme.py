"""The README's Python path is run as it stands, and what the page on models adds to it."""

import os
import re
from pathlib import Path

import deepfeatiot_tf as dfi
from deepfeatiot_tf.language.sources import packaged_smollm2

ROOT = Path(__file__).parents[1]
README, MODELS = ROOT / "README.md", ROOT / "docs" / "models.md"


def test_the_python_path_runs_word_for_word(tmp_path, monkeypatch):
    code, with_language, together = (
        block
        for page in (README, MODELS)
        for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    )
    monkeypatch.chdir(tmp_path)
    if not os.environ.get("DEEPFEATIOT_DATA"):
        monkeypatch.setattr(dfi, "load_dataset", lambda name: dfi.simulate_fleet(96), raising=False)
    names: dict = {}
    exec(compile(code, str(README), "exec"), names)
    assert names["report"].metrics["accuracy"] > 0.5
    assert (tmp_path / "report.png").stat().st_size > 10_000
    assert (tmp_path / "sensor_type.keras").exists()
    assert (tmp_path / "serving/sensor_type/1/saved_model.pb").exists()
    if packaged_smollm2():
        exec(compile(with_language, str(MODELS), "exec"), names)
        assert names["model"].language.describe()["encoder"] == "smollm2"
    exec(compile(together, str(MODELS), "exec"), names)
    assert names["probabilities"].shape == (len(names["test"]), len(names["readings"].class_names))
