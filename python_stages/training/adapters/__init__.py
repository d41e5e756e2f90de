"""Adapters on a causal model of the user's own: LoRA by peft, differential privacy by Opacus.

    chat.py      conversations -> tokens, by the model's own chat template
    base.py      the folder's model with fresh adapters on it, and its fingerprint
    losses.py    the loss of each row's answer
    engine.py    the steps of training, for `loop`
    private.py   per-example gradients by Opacus, checked before any row is seen; noise
    model.py     a tuned model that answers, streams and scores

PyTorch, transformers, peft and opacus are an extra: `pip install 'sealtune[peft]'`. Only weights in
safetensors are read and no code of a folder is run.
"""
