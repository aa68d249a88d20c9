"""The protocol that deployctl spoke to dash.deno.com."""
