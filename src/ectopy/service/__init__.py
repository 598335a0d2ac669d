"""The service: a REST and WebSocket API over streams and analyses."""
