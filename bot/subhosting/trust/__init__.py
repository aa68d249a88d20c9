"""Whom to believe: workflow tokens, host addresses, DNS records, certificates, sealed secrets."""
