"""How the bundled base model `nano` was made: `python -m pretrain` repeats it from nothing but this folder."""
