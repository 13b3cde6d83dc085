"""Real chains that anyone may have: taken out of published Python packages, on the user's machine."""
