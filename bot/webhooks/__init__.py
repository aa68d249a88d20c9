"""Sans-IO intake: headers and bytes -> Event, or the reason why not."""
