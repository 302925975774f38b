"""Training of the face filter, which rejects false detections."""
