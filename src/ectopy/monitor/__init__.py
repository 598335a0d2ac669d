"""The monitor: pages in a browser that show what a service hears. Streamlit serves them in a process of its own.

It knows the service through `ectopy.client` and `ectopy.wire` only; in the browser through HTTP and WebSocket.
"""

from ectopy.monitor.server import monitoring

__all__ = ["monitoring"]
