"""Ectopy: real-time ECG anomaly detection. Research software, not a medical device."""
