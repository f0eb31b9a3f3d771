"""pgratchet side by side with psql and with its peers, on this machine."""
