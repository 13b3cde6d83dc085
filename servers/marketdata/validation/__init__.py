"""What a chain must be to be traded on: rules for contracts, for snapshots, and for the message itself."""
