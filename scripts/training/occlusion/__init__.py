"""Training of the occlusion network: sunglasses, clear glasses, masks, head coverings."""
