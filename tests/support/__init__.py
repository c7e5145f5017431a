"""What tests share: networks, runners, doubles."""
