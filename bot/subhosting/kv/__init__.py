"""KV Connect: Deno KV databases over the network, for those that several live instances share.

The protocol is published at https://github.com/denoland/denokv/blob/main/proto/kv-connect.md; the
layout of the files is that of Deno's own SQLite backend, so that either may open them.
"""
