"""What Muster promises, as sentences of the business."""
