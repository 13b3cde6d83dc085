"""What every service shares: bus, settings, telemetry, server start-up, supervisor."""
