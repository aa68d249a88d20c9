"""Other people's JSON as pydantic models; a leaf that imports nothing of ours."""
