"""The held-out applications of the evaluation. Nothing here, words and layouts included, is ever used in training."""
