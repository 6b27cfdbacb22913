"""How fast the engine is, beside stock transformers in the same run: `python -m blip2 bench --help`."""
