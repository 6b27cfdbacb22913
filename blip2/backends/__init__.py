"""Backends: what stands behind the seam of `blip2.backends.base`."""
