"""BLIP-2's published evaluations: protocols as data, readers, metrics, runs that survive, reports and comparisons.

`python -m blip2 eval --help` starts it; `docs/evaluation.md` explains it. Importing it loads neither torch nor the
packages that score captions.
"""
