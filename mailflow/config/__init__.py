"""What the operator decides: settings and campaigns, as TOML, validated."""
