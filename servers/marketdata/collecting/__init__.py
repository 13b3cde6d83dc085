"""Live feeds collected into files, without a stack."""
