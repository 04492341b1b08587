import numpy as np

from deepfeatiot_tf.serving.warmup import prediction_log

# As tensorflow-serving-api 2.21.0 writes it: PredictionLog, its predict_log.request filled,
# SerializeToString(deterministic=True).
OFFICIAL = (
    b"2F\nD\n\x1e\n\x0bsensor_type\x1a\x0fserving_default"
    b'\x12"\n\x08readings\x12\x16\x08\x01\x12\x08\x12\x02\x08\x01\x12\x02\x08\x02"\x08\x00\x00\xa4A\x00\x00\xc0\x7f'
)


def test_a_request_has_the_bytes_that_tf_serving_itself_would_write():
    readings = np.array([[20.5, np.nan]], np.float32)
    assert prediction_log("sensor_type", "serving_default", {"readings": readings}) == OFFICIAL
