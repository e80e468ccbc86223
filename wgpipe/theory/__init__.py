"""Closed forms and predictions that need no training."""
