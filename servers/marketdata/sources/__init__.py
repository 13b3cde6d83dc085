"""Where recorded chains come from; one file a format, `opening.open_source` finds the right one."""
