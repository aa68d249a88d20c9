"""The embedded Subhosting server: v1 API, blob store, real Deno processes behind a router."""
