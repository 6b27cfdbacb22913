"""The models over HTTP: OpenAI's routes, our own, health and metrics. `blip2.api.server` puts them together."""
