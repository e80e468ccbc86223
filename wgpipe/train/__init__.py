"""The population engine: it trains all members of a block at once."""
