"""Real servers that tests run against, one fixture a file."""
