"""What `mailflow check` looks at, one module a subject."""
