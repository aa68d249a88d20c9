"""The data plane, the one asynchronous room: instances, builds and the router in one process."""
