"""Hosting on Hugging Face Spaces: the Spacefile, its checks, what is rendered from it, and the way to the Hub."""
