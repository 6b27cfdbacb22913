"""The inference engine: runner (tensors), scheduler (queues), beams, cache, stream, and the worker that joins them."""
