"""What refusals are put together from."""
