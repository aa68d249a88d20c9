"""The deploy pipeline's steps, one file each, in the order of the road."""
