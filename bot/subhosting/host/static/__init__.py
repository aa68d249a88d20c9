"""Static sites: files that the router answers with by itself, without any process of the app's."""
