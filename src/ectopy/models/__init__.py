"""The architectures, and nothing about files, training or serving. Needs the `train` extra."""
