"""The pocket models: their world of drawn scenes, their training and their accuracy report."""
