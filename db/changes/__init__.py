"""What is written besides claims."""
