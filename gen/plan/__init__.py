"""What is built, as pure data: lowered layers, their shapes, foldings as arrays, the plan."""
