"""The HTTP side: sockets, the router, and the guard that stands before every handler."""
