"""Mail from IMAP folders (RFC 9051): fetched, kept, and only then is the server told."""
