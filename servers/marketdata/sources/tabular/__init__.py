"""Option quotes in anyone's tables, CSV or Parquet: a map says which column is what."""
