"""Training of the recapture network: live captures, prints, screens."""
