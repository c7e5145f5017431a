"""What a search leaves on disk, and how good it is."""
