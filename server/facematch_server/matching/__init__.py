"""The threads that compare photos, and how requests share them."""
