"""A batch on a Ray cluster: Ray Data with actors that hold the models."""
