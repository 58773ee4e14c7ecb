"""Questions of users, and their own SQL."""
