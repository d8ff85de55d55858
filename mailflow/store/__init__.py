"""What is kept: mails, entries, events, outgoing mail; one store, SQLite or PostgreSQL."""
