"""Live sources: a small adapter a venue behind one interface, and the supervision around them, once."""
