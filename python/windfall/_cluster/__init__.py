"""The interactive cluster: engines, views, asynchronous results."""
