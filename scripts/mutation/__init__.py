"""Mutation testing: do the tests notice small changes of the code? `python -m scripts.mutation --help` shows how."""
